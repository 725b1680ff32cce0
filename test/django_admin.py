"""Works in the admin pages of doc/django with a browser; run by test/django_admin."""

import os
import signal
import socket
import subprocess
import sys
import time

import psycopg2
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import Select, WebDriverWait

pictures = sys.argv[1]
passed = failed = 0


def check(what, seen, wanted):
    global passed, failed
    if seen == wanted:
        passed += 1
        print("ok    ", what, flush=True)
    else:
        failed += 1
        print(f"FAILED {what}\n  seen   {seen}\n  wanted {wanted}", flush=True)


database = psycopg2.connect("dbname=leads")
database.autocommit = True


def sql(query, *values):
    with database.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall() if cursor.description else None


sql("INSERT INTO leads_lead (name, email) SELECT n, lower(n) || '@example.com' FROM unnest(%s) WITH ORDINALITY x(n, i) ORDER BY i",
    ["Ada", "Bob", "Cleo", "Dan", "Eve"])
sql("INSERT INTO leads_callback (lead_id, at) SELECT id, now() FROM leads_lead, generate_series(1, 2)")
sql("DELETE FROM leads_callback WHERE id = (SELECT max(c.id) FROM leads_callback c JOIN leads_lead l ON l.id = lead_id WHERE name = 'Bob')")

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
server = subprocess.Popen([*os.environ["SERVE"].split(), "--noreload", f"127.0.0.1:{port}"],
                          stdout=subprocess.DEVNULL, stderr=open("/dev/null", "w"))
options = webdriver.ChromeOptions()
options.binary_location = "/usr/bin/chromium"
for option in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1180,720",
               f"--user-data-dir={os.environ['HOME']}/chromium", "--disable-background-networking", "--no-proxy-server"):
    options.add_argument(option)
browser = None


def go(path):
    browser.get(f"http://127.0.0.1:{port}/admin/{path}")


def wait(selector):
    WebDriverWait(browser, 30).until(lambda b: b.find_elements(By.CSS_SELECTOR, selector))
    return browser.find_element(By.CSS_SELECTOR, selector)


def table(selector):
    wait(selector)
    return [[cell.text for cell in row.find_elements(By.CSS_SELECTOR, "th, td")]
            for row in browser.find_elements(By.CSS_SELECTOR, f"{selector} tbody tr")]


def listed():
    """name, state, days left, who and why of each line"""
    return [[row[i] for i in (1, 3, 5, 6, 7)] for row in table("#result_list")]


def told():
    return [message.text for message in browser.find_elements(By.CSS_SELECTOR, ".messagelist li")]


def act(action, names, reason="", then=".messagelist"):
    go("leads/record/")
    wait("#result_list")
    for row in browser.find_elements(By.CSS_SELECTOR, "#result_list tbody tr"):
        if row.find_element(By.CSS_SELECTOR, ".field-name").text in names:
            row.find_element(By.CSS_SELECTOR, "input.action-select").click()
    Select(browser.find_element(By.NAME, "action")).select_by_value(action)
    browser.find_element(By.NAME, "reason").send_keys(reason)
    browser.find_element(By.CSS_SELECTOR, "button[name=index]").click()
    wait(then)


def picture(name):
    browser.save_screenshot(f"{pictures}/{name}.png")


def login(name):
    go("")
    wait("#id_username").send_keys(name)
    browser.find_element(By.ID, "id_password").send_keys("secret")
    browser.find_element(By.CSS_SELECTOR, "input[type=submit]").click()
    wait("#user-tools")


def drive():
    login("kim")
    live = [[name, "live", "-", "-", "-"] for name in ("Ada", "Bob", "Cleo", "Dan", "Eve")]
    go("leads/record/")
    check("all leads are listed", listed(), live)

    act("delete_with_reason", ["Bob", "Cleo", "Dan"], "asked for it")
    check("the bulk action deletes", told(), ["3 leads deleted, 8 rows with their callbacks."])
    deleted = [[name, "deleted", "30", "kim", "asked for it"] for name in ("Bob", "Cleo", "Dan")]
    check("deleted leads are listed with days left, who and why", listed(), [live[0], *deleted, live[4]])
    picture("deleted")

    go("leads/lead/")
    check("the pages that know nothing show live leads only", [row[1] for row in table("#result_list")], ["Eve", "Ada"])
    check("callbacks went along", sql("SELECT count(*) FROM leads_callback"), [(4,)])

    go("leads/record/?state__exact=deleted")
    check("the list can be narrowed to the deleted ones", listed(), deleted)
    wait("#result_list tbody tr button").click()
    wait(".messagelist")
    check("a button restores one", told(), ["1 lead restored, 2 rows with their callbacks."])

    # what comes back is what went: a callback that was deleted before stays deleted
    go("leads/record/")
    check("it is live again", listed(), [*live[:2], *deleted[1:], live[4]])
    check("with the callback that went with it", sql("SELECT count(*) FROM leads_callback c JOIN leads_lead l ON l.id = lead_id WHERE name = 'Bob'"), [(1,)])

    act("restore", ["Cleo", "Dan", "Eve"], "wanted after all")
    check("an action restores many", told(), ["2 leads restored, 6 rows with their callbacks."])
    check("who restored them", sql("SELECT DISTINCT actor FROM softdelete.restores"), [("kim",)])

    # Django's own delete button, and time
    go("leads/lead/1/delete/")
    wait("#content input[type=submit]").click()
    wait(".messagelist")
    act("delete_with_reason", ["Eve"], "duplicate")
    sql("SET softdelete.visibility = with_deleted")
    sql("UPDATE leads_callback SET deleted_at = now() - interval '31 days' WHERE deleted_at IS NOT NULL AND lead_id = 1")
    sql("UPDATE leads_lead SET deleted_at = now() - interval '31 days' WHERE id = 1")
    sql("RESET softdelete.visibility")
    sql("ANALYZE leads_lead, leads_callback")
    go("leads/record/")
    check("what Django's own page deletes is listed, and expires", [row[:2] + row[3:] for row in listed() if row[1] != "live"],
          [["Ada", "expired", "kim", "-"], ["Eve", "deleted", "kim", "duplicate"]])
    picture("expired")

    go("leads/record/cleanup/")
    rows = {row[0]: row[1:] for row in table("#dry-run")}
    check("the dry run says what would go", rows, {"leads_lead": ["1", "1", "0"], "leads_callback": ["2", "2", "0"]})
    rows = {row[0]: row[1:5] for row in table("#stats")}
    check("statistics", rows, {"leads_lead": ["3", "2", "1", "0"], "leads_callback": ["5", "5", "2", "0"]})
    picture("cleanup")
    check("and nothing has gone", sql("SELECT count(*) FROM softdelete.trash('leads_lead')"), [(2,)])

    act("restore", ["Ada"])
    check("what has expired comes back as long as it is there", told(), ["1 lead restored, 3 rows with their callbacks."])
    sql("INSERT INTO leads_lead (name, email) VALUES ('Eve again', 'eve@example.com')")
    act("restore", ["Eve"])
    check("unless its address was given to another", told(), ["0 leads restored, 0 rows with their callbacks.", "Lead 5: conflict."])

    # who restored what
    go("leads/record/restores/")
    check("restores are listed, by whom, what and of whose deletion", [row[1:4] + row[5:] for row in table("#restores")], [
        ["kim", "", "3", "kim", "", "leads_callback 2, leads_lead 1"],
        *[["kim", "wanted after all", "3", "kim", "asked for it", "leads_callback 5, leads_lead 3"]] * 2,
        ["kim", "", "2", "kim", "asked for it", "leads_callback 5, leads_lead 3"]])
    picture("restores")

    # before their time, for good: asked for once more, and not what is on hold
    act("delete_with_reason", ["Cleo"], "spam")
    deletion = sql("SELECT deletion_id FROM softdelete.trash('leads_lead') WHERE row_data ->> 'name' = 'Cleo'")[0][0]
    sql("SELECT softdelete.hold(%s, 'case 7')", deletion)
    act("erase", ["Ada"])
    check("what is live is not erased", told(), ["Delete them first."])
    act("erase", ["Ada", "Cleo", "Eve"], "their wish", "#chosen")
    check("the page asks what to erase", [line.text for line in browser.find_elements(By.CSS_SELECTOR, "#chosen li")],
          ["Cleo, 30 days before the time", "Eve, 30 days before the time"])
    picture("erase")
    check("and nothing has gone yet", sql("SELECT count(*) FROM softdelete.trash('leads_lead')"), [(2,)])
    browser.find_element(By.CSS_SELECTOR, "#content input[type=submit]").click()
    wait(".messagelist")
    check("then it is erased, but for what is on hold", told()[1:], ["1 lead erased, 3 rows with their callbacks."])
    check("the one on hold is named", told()[0].startswith("Cleo: ") and "hold" in told()[0], True)
    check("the other one is gone", sql("SELECT row_data ->> 'name' FROM softdelete.trash('leads_lead')"), [("Cleo",)])
    check("by whom and why, the log knows", sql("SELECT DISTINCT actor, reason FROM softdelete.history('leads_lead', 5) WHERE what = 'purged'"), [("kim", "their wish")])
    sql("SELECT softdelete.release(%s)", deletion)
    act("restore", ["Cleo"])

    # what the page says of the retention
    sql(os.environ["RETENTION"])
    check("retention", sql("SELECT target::text, retention::text FROM softdelete.tables ORDER BY 1"), [("leads_callback", "90 days"), ("leads_lead", "90 days")])

    # who may only look; the first button is Dan's
    sql("DELETE FROM leads_callback USING leads_lead l WHERE l.id = lead_id AND name = 'Dan'")
    sql("DELETE FROM leads_lead WHERE name = 'Dan'")
    go("logout/")
    login("pat")
    go("leads/record/")
    check("who may delete and restore may not erase", [o.get_attribute("value") for o in browser.find_elements(By.CSS_SELECTOR, "select[name=action] option")],
          ["", "delete_with_reason", "restore"])
    go("logout/")
    login("lee")
    go("leads/record/")
    check("without the permission there are no actions", browser.find_elements(By.NAME, "action"), [])
    wait("#result_list tbody tr button").click()
    WebDriverWait(browser, 30).until(lambda b: "Forbidden" in b.title)
    check("and the button restores nothing", sql("SELECT count(*) FROM softdelete.trash('leads_lead')"), [(1,)])


try:
    browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    browser.set_page_load_timeout(60)
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    drive()
except Exception as error:
    check("the browser gets to the end", repr(error) + (browser.page_source[:1500] if browser else ""), None)
finally:
    if browser:
        browser.quit()
    server.send_signal(signal.SIGTERM)
    server.wait()
print(f"\n{passed} passed, {failed} failed")
sys.exit(failed > 0 or passed == 0)
