// New commits come in without reloading.
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ask, browse, ingest, number, open, text, texts } from "./scene.mjs";

let browser;
before(async () => { browser = await browse(); });
after(() => browser.close());

/** A log of a day after all others, of `count` addresses. */
function nextDay(count) {
  const newest = ask("requests by day last 7d").rows.at(-1)[0];
  const day = new Date(Date.parse(newest) + 86_400_000).toISOString().slice(0, 10);
  const lines = ["timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region"];
  for (let index = 0; index < count; index += 1) {
    const ip = (index + 1).toString(16).padStart(64, "f");
    lines.push(`${day}T23:${String(10 + (index % 50))}:00.000Z,200,GET,acme/llama-7b,model,,${ip},DE,Berlin`);
  }
  const file = join(mkdtempSync(join(tmpdir(), "footfall-")), `${day}.csv`);
  writeFileSync(file, `${lines.join("\n")}\n`);
  return [day, file];
}

test("an import shows itself within half a minute, and says so", async () => {
  const page = await open(browser, "/");
  const before = await texts(page, "#headline .value");
  const [day, file] = nextDay(400);
  ingest(file);
  await page.waitForFunction(
    (day) => document.querySelector("#trust .through").textContent.includes(day), { timeout: 40_000 }, day);
  assert.notDeepEqual(await texts(page, "#headline .value"), before);
  assert.equal(await text(page, ".live"), "New data");
  const figures = await texts(page, "#headline .figure h3");
  const values = (await texts(page, "#headline .value")).map(number);
  const [[who]] = ask("downloaders where repo_type in (model, dataset) last 30d").rows;
  assert.equal(values[figures.indexOf("Unique downloaders")], who);
  page.check();
  await page.close();
});
