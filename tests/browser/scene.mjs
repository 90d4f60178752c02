// A running server and a real browser to pages that are looked at: what every test starts from.
//
// FOOTFALL_URL   where the dashboard is
// FOOTFALL_STORE the store that it serves
// FOOTFALL       the program, to ask the same store from outside and to put files in
// CHROMIUM       the browser
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import puppeteer from "puppeteer-core";

const need = (name) => process.env[name] ?? assert.fail(`${name} is not set`);
export const ORIGIN = need("FOOTFALL_URL").replace(/\/$/, "");
const STORE = need("FOOTFALL_STORE");
const PROGRAM = need("FOOTFALL");

/** Starts a browser for the tests of one file. */
export async function browse() {
  // A container without user namespaces cannot have the browser's own sandbox; the pages are ours alone.
  // Its shared memory is often small.
  const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--force-color-profile=srgb"];
  return puppeteer.launch({ executablePath: need("CHROMIUM"), args });
}

/** A page on which errors and requests to other hosts are counted; `check` fails if there were any. */
export async function open(browser, path, { width = 1280, dark = false, script = true } = {}) {
  const page = await browser.newPage();
  const wrong = [];
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("requestfailed", (request) => {
    // What a newer page made needless is given up on purpose.
    if (request.failure()?.errorText !== "net::ERR_ABORTED") wrong.push(`${request.url()} failed`);
  });
  page.on("request", (request) => {
    // The browser draws its own date fields from data: addresses, which leave nothing.
    if (!request.url().startsWith(`${ORIGIN}/`) && !request.url().startsWith("data:")) wrong.push(`asks ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) wrong.push(`${response.status()} ${response.url()}`);
  });
  await page.setViewport({ width, height: 900 });
  await page.setJavaScriptEnabled(script);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
  await page.goto(ORIGIN + path, { waitUntil: "load" });
  page.check = () => assert.deepEqual(wrong, [], "no error and no request to another host");
  return page;
}

/** What the program says about the same store. */
export function ask(query) {
  const text = execFileSync(PROGRAM, ["--store", STORE, "query", "--json", query], { encoding: "utf8" });
  return JSON.parse(text);
}

/** Puts a file into the store that is served. */
export function ingest(file) {
  execFileSync(PROGRAM, ["--store", STORE, "ingest", "-q", file]);
}

/** The text of the first element that matches, without the blanks around it. */
export const text = (page, selector) => page.$eval(selector, (element) => element.textContent.trim());

/** The texts of all elements that match. */
export const texts = (page, selector) =>
  page.$$eval(selector, (elements) => elements.map((element) => element.textContent.trim()));

/** A number as it is shown to the number that it is. */
export const number = (shown) => Number(shown.replaceAll(/[,  ]/g, ""));

/** Does something that shows another page, and waits until that is there. */
export async function turn(page, action, wanted) {
  await action();
  await page.waitForFunction(wanted.is, { timeout: 5000 }, ...(wanted.of ?? []));
}

/** Waits until the address contains a text. */
export const at = (part) => ({ is: (part) => decodeURIComponent(location.href.replaceAll("+", " ")).includes(part), of: [part] });
