# a third worker, which the test adds
start_node 3
on 3 -q -d postgres -c 'CREATE ROLE shop_owner LOGIN' -c 'CREATE ROLE app LOGIN'
new_database
