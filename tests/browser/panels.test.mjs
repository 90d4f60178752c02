// Panels that come after the page, what they lead to, and what is taken out of them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, at, browse, number, open, text, texts, turn, whole } from "./scene.mjs";

let browser;
before(async () => { browser = await browse(); });
after(() => browser.close());

const REPO = "/repo/model/acme/llama-7b";

test("late panels come when they are near, and their numbers are those of the program", async () => {
  const page = await open(browser, `${REPO}?range=all`);
  await whole(page);
  for (const [id, column] of [["spikes", 1], ["retention", 1], ["overlap", 4]]) {
    const [first] = ask(await text(page, `#${id} pre.query`)).rows;
    const shown = (await texts(page, `#${id} tbody tr:first-child td`)).map(number);
    assert.ok(shown.includes(first[column]), `${id}: ${first[column]} in ${shown}`);
  }
  page.check();
  await page.close();
});

test("a spike's day is taken apart by a click", async () => {
  const page = await open(browser, `${REPO}?range=all`);
  await whole(page);
  const day = await text(page, "#spikes table.spikes tbody tr:nth-child(2) a");
  await turn(page, () => page.click("#spikes table.spikes tbody tr:nth-child(2) a"), at(`day=${day}`));
  await whole(page);
  assert.match(await text(page, "#spikes h3"), new RegExp(`^${day}`));
  page.check();
  await page.close();
});

test("a second repo is chosen, and the curve says how many have come to it", async () => {
  const page = await open(browser, `${REPO}?range=all`);
  // A panel that comes above moves the button away.
  await whole(page);
  await page.type("#succession input[name=with]", "model:acme/qwen2.5-base-int8");
  await turn(page, () => page.click("#succession form button"), at("with=model:acme/qwen2.5-base-int8"));
  await whole(page);
  const answer = ask(await text(page, "#succession pre.query"));
  assert.equal(number(await text(page, "#succession p strong")), answer.rows.at(-1)[4]);
  assert.equal((await page.$$("#succession table.series tbody tr")).length, answer.rows.length);
  page.check();
  await page.close();
});

test("without script a late panel is behind a link, and leads back to the page", async () => {
  const page = await open(browser, REPO, { script: false });
  await Promise.all([page.waitForNavigation(), page.click("#retention[data-later] a")]);
  assert.ok((await texts(page, "#retention table.retention tbody tr")).length > 1);
  await Promise.all([page.waitForNavigation(), page.click("main p.through a")]);
  assert.equal(new URL(page.url()).pathname, REPO);
  page.check();
  await page.close();
});

test("files hold what is on the screen, and a drawing stands alone", async () => {
  const page = await open(browser, "/?sort=name");
  const got = (selector) => page.$eval(selector, async (link) => {
    const answer = await fetch(link.href);
    return [answer.headers.get("content-type"), answer.headers.get("content-disposition"), await answer.text()];
  });
  const [csv, name, rows] = await got("#repos .head a[href$='repos.csv']");
  assert.match(csv, /^text\/csv/);
  assert.equal(name, 'attachment; filename="repos.csv"');
  const names = rows.trim().split("\n").slice(1).map((line) => line.split(",")[0]);
  assert.deepEqual(names.slice(0, 100), await texts(page, "#repos tbody th"));
  const [svg, , drawing] = await got("#trend .files a[href$='trend.svg']");
  assert.match(svg, /^image\/svg/);
  const alone = await browser.newPage();
  await alone.setContent(`<img>`);
  const size = await alone.evaluate(async (drawing) => {
    const image = document.querySelector("img");
    image.src = `data:image/svg+xml,${encodeURIComponent(drawing)}`;
    await image.decode();
    return [image.naturalWidth, image.naturalHeight];
  }, drawing);
  assert.ok(size[0] > 500 && size[1] > 200, String(size));
  await alone.close();
  page.check();
  await page.close();
});

test("without machines, and with them again", async () => {
  const page = await open(browser, "/");
  const link = () => page.$$eval("#headline .definition a", (links) => links.map(({ textContent }) => textContent));
  assert.deepEqual(await link(), ["Without machines"]);
  await turn(page, () => page.click("#headline .definition a"), at("not in_set("));
  assert.deepEqual(await link(), ["With machines"]);
  const [[downloads]] = ask('downloads where repo_type in (model, dataset) and not in_set("known-machines") last 30d').rows;
  assert.ok((await texts(page, "#headline .value")).map(number).includes(downloads));
  page.check();
  await page.close();
});
