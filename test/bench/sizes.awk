# sizes.svg from the measures of sizes (tab separated: name, rows, microseconds of
# processor time a row): a line for each, over the rows in powers of ten.  A point is
# the median of its rounds.
BEGIN { FS = "\t" }
{
	if (!($1 in seen)) { seen[$1] = 1; names[++n] = $1 }
	key = $1 SUBSEP $2
	if (!(key in count)) at[$1, ++points[$1]] = $2
	# in order
	for (i = count[key]++; i > 0 && time[key, i] > $3; i--) time[key, i + 1] = time[key, i]
	time[key, i + 1] = $3
	least = least == "" || $2 < least ? $2 : least
	most = $2 > most ? $2 : most
}
function median(key,   c) {
	c = count[key]
	return (time[key, int((c + 1) / 2)] + time[key, int((c + 2) / 2)]) / 2
}
function log10(v) { return log(v) / log(10) }
function x(rows) { return sprintf("%.1f", left + (log10(rows) - from) * (width - left - right) / (to - from)) }
function y(us) { return sprintf("%.1f", bottom - us * (bottom - head) / top) }
function text(px, py, anchor, s) {
	printf "<text x=\"%s\" y=\"%s\" text-anchor=\"%s\" font-size=\"11\" fill=\"#59636e\">%s</text>\n", px, py, anchor, s
}
END {
	width = 760; height = 360; left = 60; right = 40; head = 84; bottom = 300
	from = log10(least); to = log10(most)
	for (i = 1; i <= n; i++)
		for (p = 1; p <= points[names[i]]; p++) {
			m = median(names[i] SUBSEP at[names[i], p])
			top = m > top ? m : top
		}
	step = top > 10 ? 5 : 2
	top = step * int(top / step + 1)
	split("#3b7dd8 #d9822b #2a9d6f #8a63d2", colour, " ")
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" font-family=\"system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif\" font-size=\"13\">\n", width, height, width, height
	print "<title>Time of a row by the number of rows deleted at once</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
	print "<text x=\"16\" y=\"26\" font-size=\"16\" font-weight=\"600\" fill=\"#1f2328\">Time of a row, by the number of rows deleted at once</text>"
	printf "<text x=\"16\" y=\"46\" font-size=\"12\" fill=\"#59636e\">%s</text>\n", subtitle
	for (us = 0; us <= top; us += step) {
		printf "<line x1=\"%d\" x2=\"%d\" y1=\"%s\" y2=\"%s\" stroke=\"#e6e9ed\"/>\n", left, width - right, y(us), y(us)
		text(left - 8, y(us) + 4, "end", us " us")
	}
	for (rows = 1; rows <= most * 1.01; rows *= 10)
		if (rows >= least * 0.99) text(x(rows), bottom + 18, "middle", sprintf("%d", rows))
	text((left + width - right) / 2, bottom + 40, "middle", "rows deleted by one statement, children included")
	for (i = 1; i <= n; i++) {
		line = ""
		for (p = 1; p <= points[names[i]]; p++) {
			m = median(names[i] SUBSEP at[names[i], p])
			line = line " " x(at[names[i], p]) "," y(m)
			printf "<circle cx=\"%s\" cy=\"%s\" r=\"3\" fill=\"%s\"/>\n", x(at[names[i], p]), y(m), colour[i]
		}
		printf "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", substr(line, 2), colour[i]
		printf "<text x=\"%d\" y=\"66\" font-size=\"12\" fill=\"%s\">%s</text>\n", left + (i - 1) * 130, colour[i], names[i]
	}
	print "</svg>"
}
