import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { Fixture } from '../support/fixture.ts';
import { CLEAN, endPrograms, freePort, start } from '../support/program.ts';
import { Crowd } from './crowd.ts';
import { pairs } from './pairs.ts';

jest.setTimeout(180_000);
let crowd: Crowd | undefined;
afterEach(() => crowd?.end());
afterAll(endPrograms);

const GATEWAYS = `
  import { Gateway, Worker } from 'longshore';
  new Gateway('websocket://127.0.0.1:PORT', { name: 'gateway', count: 2 });
  await Worker.runAll();
`;

const CLIENTS = Number(process.env['CLIENTS'] ?? 1000);

describe(`${CLIENTS} clients on two gateways that talk without a break`, () => {
  it('do not notice that the application is deployed three times', async () => {
    const inner = await freePort();
    using gateways = await Fixture.create(GATEWAYS);
    using app = await Fixture.create(pairs({ version: 'one', count: 2 }));
    const LISTEN = `127.0.0.1:${inner}`;
    const holding = await start(gateways.file, { LONGSHORE_GATEWAY_LISTEN: LISTEN });
    const { gateways: listed } = await holding.status();
    const env = { LONGSHORE_GATEWAYS: listed?.join() ?? `${LISTEN},127.0.0.1:${inner + 1}` };
    const first = await start(app.file, env);
    crowd = await Crowd.of(CLIENTS, [`ws://127.0.0.1:${gateways.port}`]);
    crowd.talk();
    await crowd.more(CLIENTS);
    const rows = [{ deployed: 'nothing yet', ...crowd.mark() }];

    app.write(pairs({ version: 'two', count: 2 }));
    expect((await first.command('reload', app.file)).code).toBe(0);
    await crowd.more(CLIENTS);
    rows.push({ deployed: 'new code, by reload', ...crowd.mark() });

    app.write(pairs({ version: 'three', count: 1 }));
    expect((await first.command('reload', app.file)).code).toBe(0);
    app.write(pairs({ version: 'three', count: 3 }));
    expect((await first.command('reload', app.file)).code).toBe(0);
    await crowd.more(CLIENTS);
    rows.push({ deployed: 'another number of processes', ...crowd.mark() });

    app.write(pairs({ version: 'four', count: 2 }));
    const second = await start(app.file, env);
    expect(await first.stop('SIGTERM')).toEqual(CLEAN);
    await crowd.more(CLIENTS);
    rows.push({ deployed: 'another program, then the old one stopped', ...crowd.mark() });

    const { lost } = await crowd.hush();
    const { closes, wrong, sent } = crowd;
    console.log(
      [
        `${sent} messages between ${CLIENTS} clients; median and longest time of one, in ms:`,
        ...rows.map((r) => `${r.deployed}: ${r.median.toFixed(1)}, ${r.longest.toFixed(1)}`),
      ].join('\n'),
    );
    expect({ lost, closes, wrong }).toEqual({ lost: 0, closes: 0, wrong: [] });
    for (const { output } of [first, second]) expect(output).not.toMatch(/WRONG|CLOSED/);
    expect(second.output).toContain('version four');
    crowd.end();
    await second.stop();
    await holding.stop();
  });
});
