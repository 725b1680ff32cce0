'use strict';
// What the Node clients have in common: how a flow is printed, and a plain
// connection beside the client's own.
const { Client } = require('pg');

// connection(): of the libraries that do not read the environment themselves
exports.connection = () => ({
	host: process.env.PGHOST, port: +(process.env.PGPORT || 5432), user: process.env.PGUSER, database: process.env.PGDATABASE,
});

exports.url = () => {
	const { host, port, user, database } = exports.connection();
	return `postgresql://${encodeURIComponent(user)}@localhost:${port}/${encodeURIComponent(database)}?host=${encodeURIComponent(host)}`;
};

// The error of the database is wrapped by most libraries, each in its own way.
function describe(error) {
	const names = [error.constructor.name];
	for (let e = error, depth = 0; e && depth < 5; depth++) {
		const code = e.originalCode || e.code;
		if (typeof code === 'string') {
			names.push(code);
			const constraint = e.constraint || (e.meta && e.meta.constraint);
			if (typeof constraint === 'string') names.push(constraint);
		}
		e = e.original || e.driverError || (e.meta && e.meta.driverAdapterError) || e.cause;
	}
	return 'error: ' + [...new Set(names)].join(' ');
}

// flow(name, body): prints the name and what the body returned
exports.flow = async (name, body) => {
	let result;
	try {
		result = JSON.stringify(await body());
	} catch (error) {
		if (process.env.DEBUG) console.error(error);
		result = describe(error);
	}
	console.log(`${name}\t${result === undefined ? '' : result}`);
};

// sql(text, ...values): rows, by a connection of our own
let plain;
exports.sql = async (text, ...values) => {
	if (!plain) {
		plain = new Client();
		await plain.connect();
	}
	return (await plain.query(text, values)).rows;
};

exports.managed = async () => (await exports.sql("SELECT FROM pg_extension WHERE extname = 'softdelete'")).length > 0;

// main(body): run it, whatever happens close our connection
exports.main = async (body) => {
	try {
		await body();
	} catch (error) {
		console.error(error);
		process.exitCode = 1;
	} finally {
		if (plain) await plain.end();
	}
};
