// The overview: what it shows, and everything that can be done to it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, at, browse, number, open, text, texts, turn } from "./scene.mjs";

let browser;
before(async () => { browser = await browse(); });
after(() => browser.close());

const CATALOG = "repo_type in (model, dataset)";

test("it loads whole, and its numbers are those of the program", async () => {
  const page = await open(browser, "/");
  assert.match(await text(page, "#trust .through"), /^Data through \d{4}-\d{2}-\d{2}/);
  const figures = await texts(page, "#headline .figure h3");
  const values = (await texts(page, "#headline .figure .value")).map(number);
  const [[hub]] = ask(`hub_downloads where ${CATALOG} last 30d`).rows;
  const [[who]] = ask(`downloaders where ${CATALOG} last 30d`).rows;
  const [[downloads]] = ask(`downloads where ${CATALOG} last 30d`).rows;
  assert.equal(values[figures.indexOf("Downloads (Hub)")], hub);
  assert.equal(values[figures.indexOf("Unique downloaders")], who);
  assert.equal(values[figures.indexOf("Downloads (5-minute rule)")], downloads);
  assert.ok((await page.$$("#repos tbody tr")).length > 10);
  page.check();
  await page.close();
});

test("search as one types, sort by a column", async () => {
  const page = await open(browser, "/");
  const names = () => texts(page, "#repos tbody th");
  const [first] = await names();
  const part = first.split("/")[1].slice(0, 5);
  await page.type("#repos input[type=search]", part);
  await page.waitForFunction(
    (part) => [...document.querySelectorAll("#repos tbody th")].every((cell) => cell.textContent.includes(part)),
    { timeout: 5000 }, part,
  );
  assert.ok((await names()).includes(first));
  assert.equal(await page.$eval("#repos input[type=search]", (field) => field === document.activeElement), true);
  await turn(page, () => page.goto(page.url().split("?")[0]), at("/"));
  await turn(page, () => page.click("#repos thead a[href*='sort=name']"), at("sort=name"));
  const sorted = await names();
  assert.deepEqual(sorted, sorted.toSorted((a, b) => (a < b ? -1 : 1)));
  page.check();
  await page.close();
});

test("a click on a country filters every panel, its pill negates and goes, and back works", async () => {
  const page = await open(browser, "/");
  const whole = await text(page, "#headline .figure:nth-child(2) .value");
  await turn(page, () => page.click("#places tbody th a"), at("where=country = "));
  const country = new URL(page.url()).searchParams.get("where");
  const [[who]] = ask(`downloaders where ${CATALOG} and ${country} last 30d`).rows;
  const shown = async () => {
    const figures = await texts(page, "#headline .figure h3");
    const values = await texts(page, "#headline .figure .value");
    return number(values[figures.indexOf("Unique downloaders")]);
  };
  assert.equal(await shown(), who);
  const negate = await page.$$eval(".pills a", (links) =>
    links.findIndex((link) => decodeURIComponent(link.href.replaceAll("+", " ")).includes("country != ")));
  assert.ok(negate >= 0, "a pill can be negated");
  const links = await page.$$(".pills a");
  await turn(page, () => links[negate].click(), at("country != "));
  const [[others]] = ask(`downloaders where ${CATALOG} and ${country.replace("=", "!=")} last 30d`).rows;
  assert.equal(await shown(), others);
  await turn(page, () => page.goBack(), at("country = "));
  assert.equal(await shown(), who);
  await page.goBack();
  await page.waitForFunction((whole) =>
    document.querySelector("#headline .figure:nth-child(2) .value").textContent.trim() === whole, { timeout: 5000 }, whole);
  page.check();
  await page.close();
});

test("ranges: tabs, the picker, and a drag over the chart", async () => {
  const page = await open(browser, "/");
  await turn(page, () => page.click(".range a[href*='range=all']"), at("range=all"));
  assert.equal(await text(page, ".range a[aria-current]"), "All Time");
  await page.goto(page.url().split("?")[0]);
  const days = await texts(page, "#trend figure:first-of-type table.series tbody th");
  await page.$eval("form.picker [name=from]", (field, day) => { field.value = day; }, days[2]);
  await page.$eval("form.picker [name=to]", (field, day) => { field.value = day; }, days[9]);
  await turn(page, () => page.click("form.picker button"), at(days[9]));
  assert.deepEqual(await texts(page, "#trend figure:first-of-type table.series tbody th"), days.slice(2, 10));
  await page.goBack();
  await page.waitForFunction((count) =>
    document.querySelectorAll("#trend figure:first-of-type table.series tbody tr").length === count, { timeout: 5000 }, days.length);
  const svg = await page.$("#trend svg.line");
  await svg.scrollIntoView();
  const box = await svg.boundingBox();
  const [left, right] = await svg.evaluate((line) => [Number(line.dataset.left), Number(line.dataset.right)]);
  const x = (index) => box.x + box.width * (left + ((right - left) * index) / (days.length - 1));
  await page.mouse.move(x(5), box.y + 60);
  await page.mouse.down();
  await page.mouse.move(x(12), box.y + 60, { steps: 4 });
  await turn(page, () => page.mouse.up(), at(`from ${days[5]} to ${days[12]}`));
  page.check();
  await page.close();
});

test("pointer and keys read the value that the interface gives", async () => {
  const page = await open(browser, "/");
  const query = "hub_downloads by day last 30d";
  const answer = await page.evaluate(async (query) =>
    (await fetch(`/api/v1/query?q=${encodeURIComponent(query)}`)).json(), query);
  assert.deepEqual(answer.rows, ask(query).rows);
  const svg = await page.$("#trend svg.line");
  await svg.scrollIntoView();
  const box = await svg.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + 40);
  const [day, value] = (await text(page, "#trend .reading")).split(": ");
  assert.equal(number(value), answer.rows.find(([key]) => key === day)[1]);
  await svg.evaluate((line) => line.focus());
  await page.keyboard.press("Home");
  assert.equal((await text(page, "#trend .reading")).split(": ")[0], answer.rows[0][0]);
  await page.keyboard.press("ArrowRight");
  const [next, read] = (await text(page, "#trend .reading")).split(": ");
  assert.equal(next, answer.rows[1][0]);
  assert.equal(number(read), answer.rows[1][1]);
  assert.equal(await page.$eval("#trend .reading", (reading) => reading.getAttribute("aria-live")), "polite");
  const spoken = await svg.evaluate((line) => line.getAttribute("aria-label"));
  const most = answer.rows.reduce((most, row) => (row[1] >= most[1] ? row : most));
  assert.ok(spoken.includes(`most on ${most[0]} (${most[1].toLocaleString("en")})`) || spoken.includes(`most on ${most[0]} (${most[1]})`), spoken);
  page.check();
  await page.close();
});

test("the rule that counts can be changed", async () => {
  const page = await open(browser, "/");
  await turn(page, () => page.select("form.rule select", "daily"), at("rule=daily"));
  const [[downloads]] = ask(`downloads where ${CATALOG} rule daily last 30d`).rows;
  assert.ok((await texts(page, "#headline .value")).map(number).includes(downloads));
  page.check();
  await page.close();
});

test("what is exported is what is on the screen", async () => {
  const page = await open(browser, "/?where=country+%3D+DE");
  const [query, link] = await page.$eval("#places details.receipt", (receipt) => [
    receipt.querySelector("pre.query").textContent, receipt.querySelector("a[href*='format=csv']").href,
  ]);
  const csv = await page.evaluate(async (link) => (await fetch(link)).text(), link);
  const rows = ask(query).rows.map((row) => row.map((value) => value ?? "").join(","));
  const lines = csv.trim().split("\n").slice(1);
  assert.deepEqual(lines, rows);
  const screen = await page.$$eval("#places tbody tr", (rows) =>
    rows.map((row) => [...row.cells].slice(1, 3).map((cell) => cell.textContent.trim().replaceAll(",", "")).join(",")));
  assert.deepEqual(lines.map((line) => line.split(",").slice(-2).join(",")), screen);
  page.check();
  await page.close();
});

test("keys alone reach the numbers, a filter and the chart", async () => {
  const page = await open(browser, "/");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => location.hash), "#main");
  const reach = async (selector) => {
    for (let step = 0; step < 400; step += 1) {
      await page.keyboard.press("Tab");
      const [is, isSeen] = await page.evaluate((selector) => {
        const { outlineStyle } = getComputedStyle(document.activeElement);
        return [document.activeElement.matches(selector), outlineStyle !== "none"];
      }, selector);
      if (is) return assert.ok(isSeen, `${selector} shows that it has the keys`);
    }
    return assert.fail(`${selector} is out of reach`);
  };
  await reach("#trend svg.line");
  await page.keyboard.press("End");
  assert.match(await text(page, "#trend .reading"), /^\d{4}-\d{2}-\d{2}: /);
  await reach("#places tbody th a");
  await turn(page, () => page.keyboard.press("Enter"), at("where=country = "));
  page.check();
  await page.close();
});

test("without script every link and form works", async () => {
  const page = await open(browser, "/", { script: false });
  const whole = await texts(page, "#headline .value");
  await Promise.all([page.waitForNavigation(), page.click("#places tbody th a")]);
  assert.notDeepEqual(await texts(page, "#headline .value"), whole);
  assert.ok((await texts(page, "#trend figure:first-of-type table.series tbody tr")).length > 5);
  await page.type("#repos input[type=search]", "a");
  await Promise.all([page.waitForNavigation(), page.click("#repos form.search button")]);
  assert.equal(new URL(page.url()).searchParams.get("q"), "a");
  page.check();
  await page.close();
});
