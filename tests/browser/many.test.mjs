// A table longer than a page: pages of it, every order, and a search over all of them.
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { at, browse, fill, number, open, program, serve, texts, turn } from "./scene.mjs";

const ROWS = 100;

let browser, server, store;
before(async () => {
  browser = await browse();
  const place = mkdtempSync(join(tmpdir(), "footfall-"));
  store = join(place, "store");
  fill(store, join(place, "logs"), "--rows", "30k", "--days", "80", "--repos", "300");
  server = await serve(store);
});
after(async () => {
  await browser.close();
  server.end();
});

const ask = (query) => JSON.parse(program(store, "query", "--json", query)).rows;
const column = (page, at) => page.$$eval("#repos tbody tr", (rows, at) => rows.map((row) => row.cells[at].textContent.trim()), at);

test("pages of the table hold all repos once, in the order that is asked for", async () => {
  const page = await open(browser, "/?range=all", { origin: server.origin });
  for (const [sort, cell, metric] of [["all", 3, "downloads"], ["downloaders", 4, "downloaders"]]) {
    await turn(page, () => page.click(`#repos thead a[href*='sort=${sort}']`), at(`sort=${sort}`));
    const [names, values] = [[], []];
    for (let number = 1; ; number += 1) {
      const kinds = await column(page, 1);
      names.push(...(await texts(page, "#repos tbody th")).map((name, at) => `${kinds[at]} ${name}`));
      values.push(...await column(page, cell));
      assert.ok(kinds.length <= ROWS);
      const next = (await page.$$("#repos .pager a")).at(-1);
      if ((await next.evaluate((link) => link.textContent)) !== "Next") break;
      await turn(page, () => next.click(), at(`page=${number + 1}`));
    }
    const rows = ask(`${metric} by repo_type, repo`);
    assert.equal(new Set(names).size, names.length);
    // A repo that only another column has a number of stands at the end.
    const shown = values.filter((value) => value !== "–").map(number);
    assert.deepEqual(shown, rows.map((row) => row[2]).toSorted((a, b) => b - a));
    assert.ok(values.slice(shown.length).every((value) => value === "–"));
    await turn(page, () => page.goto(`${server.origin}/?range=all`), at("range=all"));
  }
  page.check();
  await page.close();
});

test("a search looks through all pages, and back undoes it", async () => {
  const page = await open(browser, "/?range=all&page=2", { origin: server.origin });
  const before = await texts(page, "#repos tbody th");
  const last = ask("downloads by repo top 300").at(-1)[0];
  await page.type("#repos input[type=search]", last);
  await page.waitForFunction((last) => {
    const names = [...document.querySelectorAll("#repos tbody th")];
    return names.length > 0 && names.every((name) => name.textContent.includes(last));
  }, { timeout: 5000 }, last);
  await page.waitForFunction((last) => new URL(location.href).searchParams.get("q") === last, { timeout: 5000 }, last);
  await page.goBack();
  await page.waitForFunction((first) => document.querySelector("#repos tbody th").textContent.trim() === first, { timeout: 5000 }, before[0]);
  page.check();
  await page.close();
});
