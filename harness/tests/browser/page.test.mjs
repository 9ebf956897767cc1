// Tests of index.html in a real browser. harness/tests/browser/main.rs makes the pages and runs this with node --test.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

const { PAGES, MODULES, CHROMIUM, SCREENSHOTS } = process.env;
const require = createRequire(join(MODULES, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM });
});
after(() => browser?.close());

// Opens a page that must neither load nor complain about anything.
async function open(name, { hash = "", ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const problems = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  const url = pathToFileURL(join(PAGES, name, "index.html")).href;
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== url) problems.push(`request of ${request.url()}`);
  });
  await page.goto(url + hash);
  return { page, problems, close: () => context.close() };
}

// Runs a test on a page, and checks that the page had no problem.
function on(name, title, options, check) {
  test(`${name}: ${title}`, async () => {
    const opened = await open(name, options);
    try {
      await check(opened.page);
      assert.deepEqual(opened.problems, []);
    } finally {
      await opened.close();
    }
  });
}

const cases = (page) => page.locator("tr[data-case]:visible");

async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | ")}`);
}

on("mixed", "filters", {}, async (page) => {
  const all = await cases(page).count();
  assert.equal(await page.locator("#shown").textContent(), `${all} of ${all} cases`);
  const chosen = async (label, value, count) => {
    await page.getByLabel(label, { exact: true }).selectOption(value);
    await page.waitForFunction((count) => document.querySelector("#shown").textContent.startsWith(`${count} of`), count);
    assert.equal(await cases(page).count(), count);
    await page.getByRole("button", { name: "Show all" }).click();
    await page.waitForFunction((all) => document.querySelector("#shown").textContent.startsWith(`${all} of`), all);
  };
  const count = (attribute, value) =>
    page.locator("tr[data-case]").evaluateAll(
      (rows, [attribute, value]) => rows.filter((row) => row.dataset[attribute].split(" ").includes(value)).length,
      [attribute, value],
    );
  await chosen("Rule", "C02", await count("rules", "C02"));
  await chosen("KubeRay", "1.7.0", await count("release", "1.7.0"));
  await chosen("Verdict", "FAIL", await count("verdict", "FAIL"));
  await chosen("Layer", "runtime", await count("layers", "runtime"));
  await chosen("Level", "core", await count("level", "core"));
  await page.getByLabel("Text").fill("before-ray  1.7.0");
  await page.waitForFunction(() => document.querySelector("#shown").textContent.startsWith("1 of"));
  const left = page.locator("#failures .case:visible");
  assert.equal(await left.count(), 1, "failures that the filter leaves out are hidden");
  const columns = page.locator(".matrix thead th:visible");
  await page.getByRole("button", { name: "Show all" }).click();
  const before = await columns.count();
  await page.getByLabel("KubeRay", { exact: true }).selectOption("1.7.0");
  await page.waitForFunction((before) => [...document.querySelectorAll(".matrix thead th")].filter((cell) => !cell.hidden).length < before, before);
  assert.equal(await columns.count(), 2, "the rule and the chosen release");
});

on("mixed", "expanding a rule", {}, async (page) => {
  const button = page.getByRole("button", { name: /^C01/ });
  const scenario = page.locator(".matrix").getByRole("rowheader", { name: "before-ray-start" });
  assert.equal(await button.getAttribute("aria-expanded"), "false");
  assert.equal(await scenario.first().isVisible(), false);
  await button.click();
  assert.equal(await button.getAttribute("aria-expanded"), "true");
  assert.equal(await scenario.first().isVisible(), true);
  await button.focus();
  await page.keyboard.press("Enter");
  assert.equal(await button.getAttribute("aria-expanded"), "false");
  await page.getByRole("button", { name: /all rules/ }).press("Space");
  assert.equal(await page.locator("button[aria-expanded=false]").count(), 0);
});

on("mixed", "a cell leads to its case", {}, async (page) => {
  await page.getByRole("link", { name: /^failed .*C01 on 1\.7\.0/ }).click();
  const target = page.locator(new URL(page.url()).hash.replace(/\./g, "\\."));
  assert.equal(await target.getAttribute("open"), "");
  assert.equal(await target.evaluate((element) => document.activeElement === element), true);
  assert.match(await target.innerText(), /Expected \(snapshot\)/);
});

const anchor = "#case-envtest-1.7.0-2.52.0-overwrite-annotation";
on("mixed", "an anchor opens its case", { hash: anchor }, async (page) => {
  const target = page.locator(anchor.replace(/\./g, "\\."));
  assert.equal(await target.getAttribute("open"), "");
  await page.getByLabel("Verdict").selectOption("PASS");
  await page.waitForFunction(() => !document.querySelector("#shown").textContent.startsWith("12 of"));
  assert.equal(await target.isVisible(), false);
  // A link to what the filters hide shows everything again.
  await page.evaluate(() => { location.hash = ""; });
  await page.evaluate((anchor) => { location.hash = anchor; }, anchor);
  await target.waitFor({ state: "visible" });
});

on("mixed", "every anchor of a link exists, once", {}, async (page) => {
  const broken = await page.evaluate(() => {
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
    const links = [...document.querySelectorAll("a[href^='#']")].map((link) => link.getAttribute("href").slice(1));
    return [...twice, ...links.filter((link) => !ids.includes(link))];
  });
  assert.deepEqual(broken, []);
});

on("mixed", "every control is reached by keyboard", {}, async (page) => {
  await page.getByRole("button", { name: /all rules/ }).click();
  await page.evaluate(() => { for (const details of document.querySelectorAll("details")) details.open = true; });
  await page.evaluate(() => document.activeElement.blur());
  const controls = await page.evaluate(() => {
    const controls = [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")];
    const shown = controls.filter((element) => element.checkVisibility({ contentVisibilityAuto: false }));
    shown.forEach((element, index) => { element.dataset.control = index; });
    return shown.length;
  });
  assert.ok(controls > 30, `${controls} controls`);
  const seen = new Set();
  for (let step = 0; step < controls + 20 && seen.size < controls; step += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => document.activeElement.dataset.control);
    if (at !== undefined) seen.add(at);
  }
  const missed = await page.evaluate(
    (seen) => [...document.querySelectorAll("[data-control]")].filter((element) => !seen.includes(element.dataset.control)).map((element) => element.outerHTML.slice(0, 120)),
    [...seen],
  );
  assert.deepEqual(missed, []);
});

on("mixed", "the skip link is the first stop", {}, async (page) => {
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the results");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
});

on("mixed", "roles and names", {}, async (page) => {
  for (const [role, name] of [
    ["heading", /KubeRay conformance: FAIL/],
    ["navigation", "Sections"],
    ["search", "Filter cases"],
    ["main", undefined],
    ["region", "Failures"],
    ["region", "Timeline"],
    ["table", /Each cell leads to its case/],
    ["table", /Every case/],
    ["columnheader", "1.7.0"],
    ["searchbox", "Text"],
    ["combobox", "Rule"],
    ["combobox", "Verdict"],
    ["link", /^FAIL|^failed/],
  ]) {
    const found = page.getByRole(role, name === undefined ? {} : { name });
    assert.ok((await found.count()) > 0, `${role} ${name}`);
  }
  const tree = await page.locator("body").ariaSnapshot();
  for (const part of ["banner", "main", "rowheader", "columnheader"]) assert.ok(tree.includes(part), part);
});

on("mixed", "upgrades show the chosen releases", {}, async (page) => {
  await page.getByLabel("From", { exact: true }).selectOption("1.6.2");
  await page.getByLabel("to", { exact: true }).selectOption("1.7.0");
  const section = page.locator("[data-upgrade]:visible");
  assert.equal(await section.count(), 1);
  assert.match(await section.innerText(), /1\.6\.2 → 1\.7\.0[^]*Class 1\.7\.0[^]*65536/);
  await page.getByLabel("From", { exact: true }).selectOption("1.7.0");
  assert.equal(await page.locator("#no-upgrade").isVisible(), true);
});

on("compared", "the comparison leads to its cases", {}, async (page) => {
  const section = page.getByRole("region", { name: /Compared with the run of/ });
  assert.match(await section.innerText(), /Newly failing[^]*before-ray-start/);
  await section.getByRole("link", { name: /before-ray-start/ }).first().click();
  assert.match(page.url(), /#case-/);
});

for (const [name, colorScheme] of [
  ["mixed", "light"],
  ["mixed", "dark"],
  ["compared", "light"],
  ["hostile", "dark"],
  ["empty", "light"],
]) {
  on(name, `axe-core finds nothing in ${colorScheme}`, { colorScheme }, async (page) => {
    await page.evaluate(() => {
      for (const details of document.querySelectorAll("details")) details.open = true;
      document.querySelector("#expand")?.click();
    });
    assert.deepEqual(await violations(page), []);
  });
}

on("mixed", "dark is dark and print is light", { colorScheme: "dark" }, async (page) => {
  const lightness = () => page.evaluate(() => {
    const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    return red + green + blue;
  });
  assert.ok((await lightness()) < 150);
  await page.emulateMedia({ media: "print" });
  assert.equal(await lightness(), 765);
  assert.equal(await page.locator("#filters").isVisible(), false);
});

on("hostile", "data stays text", {}, async (page) => {
  assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
  const bad = await page.evaluate(() =>
    [...document.querySelectorAll("a[href]")].map((link) => link.getAttribute("href"))
      .filter((href) => !href.startsWith("#") && !/^(\.\.\/)*[A-Za-z0-9%._~+=@/-]+(#L\d+)?$/.test(href)));
  assert.deepEqual(bad, []);
  assert.match(await page.locator("body").innerText(), /\\u\{202e\}/);
});

on("mixed", "without scripts everything is there", { javaScriptEnabled: false }, async (page) => {
  assert.ok(await page.locator("tr.scenario").first().isVisible());
  assert.equal(await page.locator("#filters").isVisible(), false);
});

for (const width of [700, 360]) {
  on("mixed", `${width} pixels are enough`, { viewport: { width, height: 900 } }, async (page) => {
    await page.evaluate(() => {
      for (const details of document.querySelectorAll("details")) details.open = true;
      document.querySelector("#expand").click();
    });
    const wide = await page.evaluate(() => {
      const width = document.documentElement.clientWidth;
      if (document.documentElement.scrollWidth <= width) return [];
      const isOut = (element) => element.getBoundingClientRect().right > width && !element.closest(".wide, .skip, .slot");
      return [...document.querySelectorAll("body *")].filter(isOut).map((element) => element.outerHTML.slice(0, 120));
    });
    assert.deepEqual(wide, []);
  });
}

on("mixed", "no cell breaks a word letter by letter", { viewport: { width: 700, height: 900 } }, async (page) => {
  await page.evaluate(() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    document.querySelector("#expand").click();
  });
  // A word of at most 20 characters in a table stands on one line; a longer one may not fit.
  const broken = await page.evaluate(() => {
    const broken = [];
    for (const cell of document.querySelectorAll("td, th")) {
      const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const parts = [...node.data.matchAll(/[^\s·]{2,20}(?![^\s·])/g)]
          .filter((word) => word.index === 0 || /[\s·]/.test(node.data[word.index - 1]))
          .flatMap((word) => [...word[0].matchAll(/[^-]{2,}/g)].map((part) => ({ 0: part[0], index: word.index + part.index })));
        for (const match of parts) {
          const range = document.createRange();
          range.setStart(node, match.index);
          range.setEnd(node, match.index + match[0].length);
          const lines = new Set([...range.getClientRects()].map((rect) => Math.round(rect.top)));
          if (lines.size > 1) broken.push(match[0]);
        }
      }
    }
    return broken;
  });
  assert.deepEqual(broken, []);
});

test("large: 600 cases open within the bound", async () => {
  const times = [];
  for (let round = 0; round < 3; round += 1) {
    const opened = await open("large");
    assert.deepEqual(opened.problems, []);
    times.push(await opened.page.evaluate(async () => {
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      const { loadEventEnd } = performance.getEntriesByType("navigation")[0];
      return Math.max(loadEventEnd, performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
    }));
    const started = Date.now();
    await opened.page.getByLabel("Text").fill("scenario-07");
    await opened.page.waitForFunction(() => !document.querySelector("#shown").textContent.startsWith("600 of"));
    times[round] = { open: Math.round(times[round]), filter: Date.now() - started };
    await opened.close();
  }
  console.log(`600 cases: ${JSON.stringify(times)} ms`);
  const best = Math.min(...times.map((time) => time.open));
  // The goal is a second; a machine on which others compile gets more.
  assert.ok(best < 4000, `${best} ms`);
});

test("screenshots", { skip: !SCREENSHOTS }, async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  const shot = async (file, name, options, prepare = async () => {}) => {
    const opened = await open(name, { viewport: { width: 1000, height: 640 }, ...options });
    await prepare(opened.page);
    writeFileSync(join(SCREENSHOTS, file), await opened.page.screenshot());
    await opened.close();
  };
  const to = (selector) => (page) => page.locator(selector).evaluate((element) => element.scrollIntoView());
  await shot("report-matrix.png", "mixed", {}, async (page) => {
    await page.getByRole("button", { name: /^C01/ }).click();
  });
  await shot("report-failures.png", "mixed", {}, to("#failures"));
  await shot("report-upgrade.png", "mixed", {}, to("#upgrades"));
  await shot("report-timeline-dark.png", "mixed", { colorScheme: "dark" }, to("#timeline"));
  await shot("report-narrow.png", "mixed", { viewport: { width: 700, height: 640 } });
  await shot("report-compare.png", "compared", {}, to("#compared"));
});
