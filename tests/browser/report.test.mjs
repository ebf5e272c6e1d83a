// Opens pages of reports as files, without a network, and does what a reader does.
import assert from "node:assert/strict";
import {readFileSync, writeFileSync} from "node:fs";
import {createRequire} from "node:module";
import {join, resolve} from "node:path";
import {pathToFileURL} from "node:url";

const [modules, executablePath, folder, option, screenshot] = process.argv.slice(2);
const {chromium} = createRequire(resolve(modules, "any.js"))("playwright-core");
const urlOf = (name) => pathToFileURL(join(folder, name)).href;
const dataOf = (page) => /<script id="data" type="application\/json">([^]*?)<\/script>/.exec(page)[1];

const source = readFileSync(join(folder, "failing.html"), "utf8");
const data = JSON.parse(dataOf(source));
// The same run over and over, one after the other, to 100,000 rows.
const large = {...data, rows: []};
for (let copy = 0; large.rows.length < 100_000; ++copy) {
  const by = copy * data.end, first = large.rows.length;
  const moved = (time) => (time === undefined ? undefined : time + by);
  for (const row of data.rows) large.rows.push({...row, a: row.a + by, r: moved(row.r), e: moved(row.e), l: row.l?.map(([name, other]) => [name, other + first])});
  large.end = data.end + by;
}
writeFileSync(join(folder, "large.html"), source.replace(dataOf(source), () => JSON.stringify(large).replaceAll("<", "\\u003c")));

const args = ["--disable-dev-shm-usage", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])];
const browser = await chromium.launch({executablePath, args});
const complaints = [], asked = [];

async function open(name, colorScheme = "light") {
  const context = await browser.newContext({viewport: {width: 1440, height: 900}, colorScheme, offline: true});
  const page = await context.newPage();
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => asked.push(request.url()));
  page.on("dialog", (dialog) => { complaints.push("dialog " + dialog.message()); dialog.dismiss(); });
  await page.goto(urlOf(name));
  await page.waitForFunction(() => window.report !== undefined);
  return page;
}

let count = 0;
async function test(name, does) {
  await does();
  ++count;
  console.log("ok " + name);
}

const settle = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
const range = (page) => page.evaluate(() => window.report.range());
const title = (page) => page.locator("#panel h2").textContent();
const fieldsOf = async (page) => Object.fromEntries(await page.locator("#fields dt").evaluateAll((all) => all.map((each) => [each.textContent, each.nextSibling.textContent])));
const matches = (page) => page.locator("#matches").textContent();

// Clicks an arrow in its middle, as far as that is not another arrow's.
async function clickArrow(page, accepts) {
  const arrows = await page.evaluate(() => window.report.arrows());
  const box = await page.locator("#chart").boundingBox();
  for (const arrow of arrows.filter(accepts)) {
    for (const part of [.5, .35, .65, .2, .8]) {
      const x = arrow.x0 + (arrow.x1 - arrow.x0) * part, y = arrow.y0 + (arrow.y1 - arrow.y0) * part;
      if (x < 4 || y < 4 || x > box.width - 4 || y > box.height - 4) continue;
      await page.mouse.click(box.x + x, box.y + y);
      if (await page.evaluate(() => window.report.chosen()) === arrow.row) return arrow;
    }
  }
  assert.fail("no arrow could be clicked");
}

const page = await open("failing.html");

await test("one lane for each node", async () => {
  const labels = await page.locator(".label button").allTextContents();
  assert.deepEqual(labels, data.nodes.map((node) => "node " + node.id));
  assert.equal(labels.length, 6);
  assert.match(await page.locator(".label").first().textContent(), /server/);
});

await test("the violated check is shown, pointed at, and jumped to", async () => {
  assert.match(await page.locator(".banner").textContent(), /linearizable is violated.*read what was there at no moment/);
  assert.match(await page.locator("#verdict").textContent(), /failed: linearizable/);
  const check = data.checks.find((each) => each.failure);
  assert.equal(await page.evaluate(() => window.report.chosen()), check.row, "it is where the page opens");
  assert.match(await page.locator(".objection").textContent(), /linearizable/);
  await page.keyboard.press("Escape");
  await page.click("#fit");
  const whole = await range(page);
  await page.click(".banner button");
  assert.equal(await page.evaluate(() => window.report.chosen()), check.row);
  const [from, to] = await range(page);
  assert.ok(from <= check.time && check.time <= to);
  assert.ok(to - from < (whole[1] - whole[0]) / 4, "closer than the whole run");
});

await test("arrows for what was sent, and the crash in its lane", async () => {
  await page.click("#fit");
  await settle(page);
  const kinds = new Set((await page.evaluate(() => window.report.arrows())).map((arrow) => arrow.kind));
  for (const kind of ["request", "response", "handshake"]) assert.ok(kinds.has(kind), kind);
  assert.ok(data.rows.some((row) => row.t.startsWith("node down")) && data.rows.some((row) => row.t.startsWith("node up")));
  for (const kind of ["record", "store", "stream", "node", "fault"]) assert.equal(await page.locator(`#kinds [data-kind=${kind}]`).count(), 1, kind);
});

await test("a frame opens to its decoded fields, and leads to its answer", async () => {
  await page.keyboard.press("v");
  await settle(page);
  const request = await clickArrow(page, (arrow) => arrow.kind === "request" && /^(PUT|GET) /.test(arrow.title));
  const asked_ = await fieldsOf(page);
  assert.equal(asked_.op, request.title.split(" ")[0]);
  assert.match(asked_.key, /^\/state\//);
  assert.match(await page.locator(".hex").textContent(), /^0000 {2}[0-9a-f]{2} /);
  await page.locator(".links button", {hasText: "answer"}).first().click();
  const answer = await fieldsOf(page);
  assert.match(answer.status, /^[A-Z_]+ \(\d+\)$/);
  assert.equal(answer.id, asked_.id);
});

await test("the wheel and the keys zoom and move", async () => {
  await page.click("#fit");
  await settle(page);
  const whole = await range(page);
  const box = await page.locator("#chart").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + 20);
  await page.mouse.wheel(0, -400);
  await settle(page);
  const near = await range(page);
  assert.ok(near[1] - near[0] < (whole[1] - whole[0]) * .7, "the wheel zooms in");
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 - 200, box.y + 20, {steps: 4});
  await page.mouse.up();
  await settle(page);
  assert.ok((await range(page))[0] > near[0], "dragging to the left moves on");
  const before = await range(page);
  await page.keyboard.press("+");
  assert.ok((await range(page))[1] < before[1]);
  await page.keyboard.press("ArrowLeft");
  assert.ok((await range(page))[0] < before[1]);
  await page.keyboard.press("f");
  assert.deepEqual((await range(page)).map(Math.round), whole.map(Math.round));
  await page.keyboard.press("i");
  assert.equal(await page.locator("#idle").isChecked(), false);
  await page.keyboard.press("i");
});

await test("a search counts, narrows and jumps", async () => {
  await page.keyboard.press("/");
  await page.keyboard.type("handshake");
  const many = Number(await matches(page));
  assert.equal(many, data.rows.filter((row) => row.k === "handshake").length);
  await page.fill("#search", "request put /state/shared/k1");
  const fewer = Number((await matches(page)).split("/").pop());
  assert.ok(fewer > 0 && fewer < many);
  await page.keyboard.press("Enter");
  const first = await title(page);
  assert.match(first, /^PUT \/state\/shared\/k1/);
  assert.match(await matches(page), new RegExp(`^\\d+ / ${fewer}$`));
  const chosen = await page.evaluate(() => window.report.chosen());
  await page.click("#next");
  assert.notEqual(await page.evaluate(() => window.report.chosen()), chosen);
  await page.click("#previous");
  assert.equal(await page.evaluate(() => window.report.chosen()), chosen);
  await page.fill("#search", "nothing is called so");
  assert.equal(await matches(page), "no match");
  await page.fill("#search", "");
});

await test("kinds and nodes can be left out", async () => {
  await page.click("#fit");
  await page.click("#kinds [data-kind=request]");
  await settle(page);
  assert.ok(!(await page.evaluate(() => window.report.arrows())).some((arrow) => arrow.kind === "request"));
  assert.equal(await page.getAttribute("#kinds [data-kind=request]", "aria-pressed"), "false");
  await page.click("#kinds [data-kind=request]");
  const rowsBefore = await page.evaluate(() => document.getElementById("listspace").style.height);
  await page.locator(".label button").nth(3).click();
  assert.notEqual(await page.evaluate(() => document.getElementById("listspace").style.height), rowsBefore);
  await page.locator(".label button").nth(3).click();
});

await test("the list is walked by keys alone", async () => {
  await page.locator("#list").focus();
  await page.keyboard.press("Home");
  const first = await page.evaluate(() => window.report.chosen());
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => window.report.chosen()), first + 1);
  assert.equal(await page.locator(".item[aria-selected=true]").count(), 1);
});

await test("a hostile key is text and nothing else", async () => {
  await page.fill("#search", "onerror");
  await page.keyboard.press("Enter");
  assert.match(await title(page), /<\/script><img src=x onerror=/);
  assert.equal(await page.locator("img").count(), 0);
  assert.doesNotMatch(await page.title(), /owned/);
  const blocked = await page.evaluate(() => { const made = document.createElement("script"); made.textContent = "window.ran = true"; document.body.append(made); return window.ran; });
  assert.equal(blocked, undefined, "the page's policy runs no other script");
  assert.ok(complaints.splice(0).every((text) => /Content Security Policy/.test(text)), "and says so");
  await page.fill("#search", "");
});

await test("100,000 rows stay quick", async () => {
  const big = await open("large.html");
  const [rows, slowest] = await big.evaluate(() => {
    let most = 0;
    for (let i = 0; i < 5; ++i) { const start = performance.now(); window.report.draw(); most = Math.max(most, performance.now() - start); }
    return [window.report.rows, most];
  });
  assert.ok(rows >= 100_000);
  assert.ok(slowest < 1000, `drawn in ${slowest} ms`);
  console.log(`  ${rows} rows drawn whole in ${Math.round(slowest)} ms`);
  await big.fill("#search", "put k3");
  assert.ok(Number((await matches(big)).split("/").pop()) > 1000);
  await big.close();
});

await test("dark where the reader's screen is", async () => {
  const dark = await open("failing.html", "dark");
  const light = (text) => text.match(/\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b);
  assert.ok(light(await dark.evaluate(() => getComputedStyle(document.body).backgroundColor)) < 200);
  assert.ok(light(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)) > 600);
  await dark.close();
});

await test("no complaint, and nothing asked for but the files", async () => {
  assert.deepEqual(complaints, []);
  assert.ok(asked.length >= 3 && asked.every((url) => url.startsWith("file://")), asked.join(" "));
});

await test("the trace file is a trace", async () => {
  const trace = JSON.parse(readFileSync(join(folder, "failing.json"), "utf8"));
  assert.ok(trace.traceEvents.length > data.rows.length);
  const tracks = new Map();
  for (const event of trace.traceEvents.filter((each) => each.ph === "X")) tracks.set(event.pid + "/" + event.tid, [...tracks.get(event.pid + "/" + event.tid) ?? [], event]);
  for (const slices of tracks.values()) {
    slices.sort((a, b) => a.ts - b.ts);
    for (let i = 1; i < slices.length; ++i) {
      const [a, b] = [slices[i - 1], slices[i]];
      assert.ok(a.ts === b.ts ? a.dur === b.dur : a.ts + a.dur <= b.ts + 1e-6, "slices nest");
    }
  }
  for (const event of trace.traceEvents) assert.ok(typeof event.ph === "string" && typeof event.pid === "number" && typeof event.ts === "number");
});

if (option === "--screenshot") {
  const fresh = await open("failing.html");
  for (let i = 0; i < 4; ++i) await fresh.keyboard.press("-");
  await settle(fresh);
  await fresh.screenshot({path: screenshot});
}
await browser.close();
console.log(`${count} tests hold`);
