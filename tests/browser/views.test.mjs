// Every view, light and dark, wide and narrow: no error, nothing serious for who cannot see it, nothing cut off.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { browse, open, texts, whole } from "./scene.mjs";
import { VIEWS } from "./views.mjs";

const AXE = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

let browser;
before(async () => { browser = await browse(); });
after(() => browser.close());

for (const [name, path] of Object.entries(VIEWS)) {
  for (const dark of [false, true]) {
    test(`${name}, ${dark ? "dark" : "light"}: nothing serious for axe`, async () => {
      const page = await open(browser, path, { dark });
      await whole(page);
      page.check();
      await page.evaluate(AXE);
      const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      const serious = found.violations
        .filter(({ impact }) => ["serious", "critical"].includes(impact))
        .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.target.join(" ")).join("; ")}`);
      assert.deepEqual(serious, []);
      await page.close();
    });
  }

  for (const width of [360, 768, 1280]) {
    test(`${name}, ${width} wide: nothing stands out`, async () => {
      const page = await open(browser, path, { width });
      await whole(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${wide} of ${width}`);
      page.check();
      await page.close();
    });
  }

  test(`${name}: every chart has a table and says what it shows`, async () => {
    const page = await open(browser, path);
    await whole(page);
    const charts = await page.$$eval("figure.chart", (figures) =>
      figures.map((figure) => [
        figure.querySelector("svg")?.getAttribute("aria-label") ?? "",
        figure.querySelectorAll("table tbody tr").length,
      ]));
    for (const [label, rows] of charts) assert.ok(label.length > 10 && rows > 0, `${label}: ${rows}`);
    assert.equal((await texts(page, "h1")).length, 1);
    page.check();
    await page.close();
  });
}
