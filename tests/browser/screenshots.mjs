// Every view at three widths, light and dark, to pictures: `npm run screenshots -- DIR`.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { browse, open, whole } from "./scene.mjs";
import { VIEWS } from "./views.mjs";

const into = process.argv[2] ?? "screenshots";
mkdirSync(into, { recursive: true });
const browser = await browse();
for (const [name, path] of Object.entries(VIEWS)) {
  for (const width of [360, 800, 1400]) {
    for (const dark of [false, true]) {
      const page = await open(browser, path, { width, dark });
      await whole(page);
      const file = join(into, `${name}-${width}${dark ? "-dark" : ""}.png`);
      await page.screenshot({ path: file, fullPage: true });
      await page.close();
    }
  }
}
await browser.close();
