import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { browserPath, openBrowser } from '../support/browser.ts';
import { endPrograms, freePort, type Program, start } from '../support/program.ts';

const ifBrowser = browserPath === undefined ? it.skip : it;
if (browserPath === undefined)
  console.log('skipped: what needs a browser, because there is no Chromium here');

let browser: Browser | undefined;
afterEach(endPrograms);
afterAll(async () => {
  await browser?.close();
});

async function enter(url: string, name: string): Promise<{ page: Page; faults: string[] }> {
  browser ??= await openBrowser();
  const page = await (
    await browser.newContext({ viewport: { width: 900, height: 640 } })
  ).newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  await page.goto(url);
  await page.fill('#name', name);
  await page.click('#door button');
  await page.waitForSelector('#state.open');
  return { page, faults };
}

// Conditions are text, because what they are about exists in the page only.
const people = (page: Page, names: string[]) =>
  page.waitForFunction(
    `[...document.querySelectorAll('#people li')].map((item) => item.textContent).join() === '${names}'`,
  );

const said = (page: Page, text: string) =>
  page.waitForFunction(`document.querySelector('#messages').textContent.includes('${text}')`);

/** Connections that the chat's gateways have had so far. */
async function accepted(program: Program): Promise<number> {
  const { processes } = await program.status();
  const gateways = processes.filter(({ worker_name: name }) => name === 'chat');
  return gateways.reduce((sum, { accepted: each }) => sum + each, 0);
}

describe('the chat in a real browser', () => {
  ifBrowser(
    'brings people of several processes together, and back together after a reload',
    async () => {
      const port = await freePort();
      const program: Program = await start('examples/chat/server.ts', {
        PORT: String(port),
        COUNT: '2',
      });
      const url = `http://127.0.0.1:${port}/`;
      const anna = await enter(url, 'Anna');
      const ben = await enter(url, 'Ben');
      await people(anna.page, ['Anna', 'Ben']);
      await people(ben.page, ['Anna', 'Ben']);
      await ben.page.fill('#text', 'Ahoy <b>there</b>');
      await ben.page.click('#say button');
      await said(anna.page, 'Ahoy <b>there</b>');
      // What a reload does to open pages: nothing. Other processes answer, over the same connections.
      const before = await anna.page.textContent('#state');
      const connections = await accepted(program);
      expect((await program.command('reload', 'examples/chat/server.ts')).code).toBe(0);
      await anna.page.fill('#text', 'Still here');
      await anna.page.press('#text', 'Enter');
      await said(ben.page, 'Still here');
      await anna.page.waitForFunction(
        `document.querySelector('#state.open')?.textContent !== '${before}'`,
      );
      expect(await accepted(program)).toBe(connections);
      await people(anna.page, ['Anna', 'Ben']);
      if (process.env['SCREENSHOTS'])
        await ben.page.screenshot({ path: `${process.env['SCREENSHOTS']}/chat.png` });
      expect([anna.faults, ben.faults]).toEqual([[], []]);
    },
    40_000,
  );

  ifBrowser(
    'tells a person what is wrong with a name',
    async () => {
      const port = await freePort();
      await start('examples/chat/server.ts', { PORT: String(port), COUNT: '1' });
      browser ??= await openBrowser();
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.fill('#name', '<script>');
      await page.click('#door button');
      await page.waitForFunction(
        `document.querySelector('#refusal').textContent.includes('1 to 24 letters')`,
      );
      await page.fill('#name', 'Zoë');
      await page.click('#door button');
      await page.waitForSelector('#state.open');
      if (process.env['SCREENSHOTS'])
        await page.screenshot({ path: `${process.env['SCREENSHOTS']}/door.png` });
    },
    30_000,
  );
});
