import { afterAll, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { browserPath, openBrowser } from '../support/browser.ts';
import { describeOnCluster, kubeconfig, kubectl } from './support/cluster.ts';
import { image, noDocker } from './support/docker.ts';
import { Forward } from './support/forward.ts';
import { LONG_MS } from './support/operator.ts';
import { eventually, run } from './support/run.ts';
import { describeUnless } from './support/skip.ts';

const NAMESPACE = `demo-${Math.random().toString(36).slice(2, 7)}`;

let browser: Browser | undefined;

const demo = async (what: string): Promise<string> =>
  run('npm', ['run', '-s', 'demo', '--', what], {
    ms: 2 * LONG_MS,
    env: {
      KUBECONFIG: await kubeconfig(),
      DEMO_NAMESPACE: NAMESPACE,
      LONGSHORE_IMAGE: await image(),
    },
  });

async function enter(url: string, name: string): Promise<Page> {
  browser ??= await openBrowser();
  const page = await (await browser.newContext()).newPage();
  await page.goto(url);
  await page.fill('#name', name);
  await page.click('#door button');
  await page.waitForSelector('#state.open');
  return page;
}

/** What npm run demo leaves running, as a user meets it. */
describeOnCluster('npm run demo', () => {
  describeUnless(noDocker, 'with images of its own', () => {
    it(
      'says how to open what it has started',
      async () => {
        const text = await demo('up');
        for (const word of ['chat', 'metrics', 'Prometheus'])
          expect(text).toMatch(new RegExp(`^${word} +http://`, 'm'));
        expect(text).toContain('npm run demo -- down');
      },
      3 * LONG_MS,
    );

    (browserPath === undefined ? it.skip : it)(
      'has a chat in which people meet',
      async () => {
        await using forward = await Forward.to('service/chat', NAMESPACE, 80);
        const url = `http://127.0.0.1:${forward.port}/`;
        const anna = await enter(url, 'Anna');
        const ben = await enter(url, 'Ben');
        await ben.fill('#text', 'Ahoy');
        await ben.click('#say button');
        await anna.waitForFunction(
          "document.querySelector('#messages').textContent.includes('Ahoy')",
        );
        const count = () =>
          kubectl('get', 'lss', 'chat', '-n', NAMESPACE, '-o', 'jsonpath={.status.connections}');
        // The two of them, and nothing that the program has opened itself.
        await eventually('the column Connections', async () => (await count()) === '2', LONG_MS);
      },
      LONG_MS,
    );

    it(
      'has a Prometheus with the chat, the operator and the alerts',
      async () => {
        await using forward = await Forward.to('service/prometheus', NAMESPACE, 9090);
        const ask = async (path: string) =>
          (await fetch(`http://127.0.0.1:${forward.port}/${path}`)).text();
        const metric = 'longshore_connections_accepted_total';
        expect(await ask(`api/v1/query?query=${metric}`)).toContain('"server":"chat"');
        expect(await ask('api/v1/query?query=up{job="longshore"}')).toMatch(/"1"\]/);
        expect(await ask('api/v1/rules')).toContain('LongshoreWorkerCrashes');
        // Its pages are whole.
        expect(await ask('classic/static/jquery/jquery.min.js')).toContain('jQuery');
      },
      LONG_MS,
    );

    it(
      'is taken down again',
      async () => {
        await demo('down');
        const left = await kubectl('get', 'namespace', NAMESPACE, '--ignore-not-found');
        expect(left).toBe('');
        expect(
          await kubectl('get', 'clusterroles,clusterrolebindings', '-o', 'name'),
        ).not.toContain(NAMESPACE);
      },
      LONG_MS,
    );

    afterAll(() => browser?.close());
  });
});
