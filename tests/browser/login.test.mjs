// Where tokens exist: the log-in page, what a token for some repos shows, and leaving; with script and without.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { browse, fill, open, program, serve, text, texts } from "./scene.mjs";

let browser, server, tokens;
const token = (store, ...words) => program(store, "token", "add", ...words).match(/footfall_[0-9a-f]{64}/)[0];

before(async () => {
  browser = await browse();
  const place = mkdtempSync(join(tmpdir(), "footfall-"));
  const [logs, store] = [join(place, "logs"), join(place, "store")];
  fill(store, logs, "--rows", "5k", "--days", "70", "--repos", "12", "--header", "v2");
  tokens = { all: token(store, "web", "--read"), some: token(store, "partner", "--read", "--org", "acme") };
  const outer = createServer((_, answer) => answer.end(`<iframe src="${server.origin}/"></iframe>`)).listen(0, "127.0.0.1");
  await new Promise((done) => outer.once("listening", done));
  // Another site than 127.0.0.1, though it is this machine too.
  server = await serve(store, "--frame", `http://localhost:${outer.address().port}`);
  Object.assign(server, { outer, framing: `http://localhost:${outer.address().port}/`, other: `http://127.0.0.1:${outer.address().port}/` });
});
after(async () => {
  await browser.close();
  server.outer.close();
  server.end();
});

/** Types a token and sends it. */
async function logIn(page, token) {
  await page.type("#token", token);
  await Promise.all([page.waitForNavigation(), page.click("form.door button")]);
}

for (const script of [true, false]) {
  test(`a wrong token is refused, a right one leads where one wanted to go, ${script ? "with" : "without"} script`, async () => {
    const guest = await browser.createBrowserContext();
    const page = await open(guest, "/counting?range=all", { script, origin: server.origin });
    assert.equal(new URL(page.url()).pathname, "/login");
    assert.equal(await page.$eval("#token", (field) => field.type), "password");
    await logIn(page, "footfall_wrong");
    assert.match(await text(page, "[role=alert]"), /^No token is like this/);
    assert.equal(await page.$eval("#token", (field) => field.value), "");
    await logIn(page, tokens.all);
    assert.equal(page.url(), `${server.origin}/counting?range=all`);
    const [cookie] = await page.cookies();
    assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite, cookie.path], ["footfall", true, "Strict", "/"]);
    assert.ok(cookie.expires > Date.now() / 1000 + 300 * 86_400);
    assert.equal(await page.evaluate(() => document.cookie), "");
    await page.goto(`${server.origin}/data`);
    assert.equal((await page.$$("#calendar")).length, 1);
    await Promise.all([page.waitForNavigation(), page.click("form.leave button")]);
    assert.deepEqual([new URL(page.url()).pathname, await page.cookies()], ["/login", []]);
    await page.goto(`${server.origin}/`);
    assert.equal(new URL(page.url()).pathname, "/login");
    page.check(["422"]);
    await guest.close();
  });
}

test("a token for some repos shows those, says so, and no panel fails", async () => {
  const guest = await browser.createBrowserContext();
  const page = await open(guest, "/?range=all", { origin: server.origin });
  await logIn(page, tokens.some);
  assert.match(await text(page, ".only"), /^This token sees only repos of acme/);
  const names = await texts(page, "#repos tbody th");
  assert.ok(names.length > 0 && names.every((name) => name.startsWith("acme/")), names.join(" "));
  for (const path of ["/", "/counting", "/data", `/repo/model/${names[0]}`]) {
    await page.goto(server.origin + path);
    assert.deepEqual(await texts(page, ".error"), [], path);
    assert.equal((await page.$$(".only")).length, 1, path);
  }
  page.check();
  await guest.close();
});

test("a page of an allowed host may show the page in a frame, another one may not", async () => {
  const guest = await browser.createBrowserContext();
  const page = await guest.newPage();
  for (const [outer, isShown] of [[server.framing, true], [server.other, false]]) {
    await page.goto(outer, { waitUntil: "networkidle0" });
    const inner = page.frames().find((frame) => frame !== page.mainFrame());
    const shown = await inner.$("#token").catch(() => null);
    assert.equal(shown !== null, isShown, outer);
  }
  await guest.close();
});

test("the log-in page is one for keys, and for who cannot see it", async () => {
  const guest = await browser.createBrowserContext();
  const page = await open(guest, "/", { origin: server.origin, width: 360 });
  assert.equal(await page.$eval("#token", (field) => field === document.activeElement), true);
  assert.equal(await page.$eval("label[for=token]", (label) => label.textContent.trim()), "Token");
  await page.evaluate(readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8"));
  for (const scheme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    assert.deepEqual(found.violations.filter(({ impact }) => ["serious", "critical"].includes(impact)), [], scheme);
  }
  await page.keyboard.type(tokens.all);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  assert.equal(page.url(), `${server.origin}/`);
  page.check();
  await guest.close();
});
