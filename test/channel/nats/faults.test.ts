import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { encodeValue } from '../../../src/channel/format.ts';
import { newCertificate } from '../../support/certificate.ts';
import { connected, endPlaces } from '../../support/channel-engines.ts';
import { NatsServer, natsServer, WHY_NOT } from '../../support/nats.ts';
import { Manager } from '../../support/nats-manager.ts';
import { endEngines, Recorder } from '../../support/nats-recorder.ts';
import { eventually } from '../../support/peer.ts';
import { freePort } from '../../support/program.ts';

const BOUNDS = { size: 5, seconds: 60 };
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

afterEach(async () => {
  endEngines();
  await endPlaces();
});

describe('the engine on NATS', () => {
  if (WHY_NOT) {
    it.skip(`is not tested: ${WHY_NOT}`, () => {});
    return;
  }

  it('stays on its feet whatever others publish on its subjects', async () => {
    const server = await natsServer();
    const client = await connected(server.address, {
      history: [{ channels: 'a', size: 5, seconds: 60 }],
    });
    const heard: unknown[] = [];
    for (const channel of ['a', 'b']) client.on(channel, (data) => heard.push(data));
    client.watch('q', (data) => heard.push(data));
    client.publish('a', 'ready');
    client.enqueue('q', 'ready');
    await eventually(() => heard.length === 2);
    await using manager = await Manager.of(server.address);
    const { connection } = manager;
    const subjects = ['c.5-60.a', 'c.0.b', 'c.x.b', 'q.q', 'c.5-60.=ZZ', 'q.=', 'c.0.'];
    for (const bytes of ['', '{', '\0', '\0{', '\x02?', 'x'.repeat(1000)]) {
      for (const subject of subjects) {
        if (!subject.endsWith('.')) connection.publish(`longshore.${subject}`, bytes);
      }
    }
    await connection.flush();
    for (const channel of ['a', 'b']) client.publish(channel, 'still here');
    client.enqueue('q', 'still here');
    await eventually(() => heard.filter((each) => each === 'still here').length === 3);
    expect(new Set(heard)).toEqual(new Set(['ready', 'still here']));
  });

  it('says what is wrong with the credentials, and gets in when they are right', async () => {
    const port = await freePort();
    const users = (pass: string) => `authorization { users: [{ user: ann, password: ${pass} }] }`;
    const server = await natsServer(users('right'), port);
    const good = new Recorder(`nats://ann:right@127.0.0.1:${port}`);
    const bad = new Recorder(`nats://ann:wrong@127.0.0.1:${port}`);
    await eventually(() => good.says(/^connect$/) && bad.says(/CONNECT_FAILED.*Authorization/i));
    expect(bad.told.join()).not.toMatch(/wrong|ann/);
    await server.stop();
    await eventually(() => good.says(/^close$/));
    await natsServer(users('wrong'), port);
    await eventually(() => bad.says(/^connect$/) && good.says(/CONNECT_FAILED.*Authorization/i));
  });

  it('connects when the servers come, however long that takes', async () => {
    const server = new NatsServer(await freePort());
    const engine = new Recorder(server.address);
    engine.engine.subscribe('a');
    engine.engine.publish('a', Buffer.from('early'));
    await eventually(() => engine.says(/CONNECT_FAILED nats: 127.*refused/));
    expect(engine.engine.connected).toBe(false);
    await server.start();
    await eventually(() => engine.values.includes('early'));
    expect(engine.told.at(-1)).toBe('connect');
  });

  it('speaks TLS, and to nobody whom it does not trust', async () => {
    await using certificate = newCertificate();
    const { cert, key, ca } = certificate;
    const tls = `tls { cert_file: "${cert}", key_file: "${key}" }`;
    const server = await natsServer(tls);
    const address = `tls://localhost:${server.port}`;
    const [trusts, doubts] = [new Recorder(address, { tls: { ca } }), new Recorder(address)];
    await eventually(() => trusts.says(/^connect$/) && doubts.says(/CONNECT_FAILED.*certificate/));
    const plain = await natsServer();
    const strict = new Recorder(`tls://127.0.0.1:${plain.port}`);
    await eventually(() => strict.says(/CONNECT_FAILED.*tls/));
  });

  it('says so when there is no JetStream, and carries channels without history', async () => {
    const server = await natsServer('', await freePort(), false);
    const engine = new Recorder(server.address);
    engine.engine.subscribe('plain');
    engine.engine.publish('plain', Buffer.from('1'));
    engine.engine.publish('a', Buffer.from('2'), BOUNDS);
    await eventually(() => engine.values.includes('1') && engine.says(/NATS_FAILED a: jetstream/i));
  });

  it('drops what is too large for the servers, says so, and loses nothing else', async () => {
    const engine = new Recorder((await natsServer()).address);
    await eventually(() => engine.engine.connected);
    engine.engine.subscribe('a');
    engine.engine.subscribe('h', BOUNDS);
    const large = encodeValue('x'.repeat(1_048_576));
    for (const bounds of [undefined, BOUNDS]) {
      const channel = bounds ? 'h' : 'a';
      expect(engine.engine.publish(channel, large, bounds)).toBe(false);
      expect(engine.engine.publish(channel, Buffer.from('small'), bounds)).toBe(true);
    }
    await eventually(() => engine.values.length === 2);
    expect(engine.says(/PACKAGE_TOO_LARGE a: a message of 1048579 bytes/)).toBe(true);
  });

  it('tells of jobs that a full queue does not take', async () => {
    const { address } = await natsServer();
    const engine = new Recorder(address);
    await using manager = await Manager.of(address);
    engine.engine.enqueue('q', Buffer.from('1'));
    await manager.until(
      ({ streams }) => streams.info('LONGSHORE_QUEUES'),
      ({ state }) => state.last_seq === 1,
    );
    await manager.jetstream.streams.update('LONGSHORE_QUEUES', { max_msgs_per_subject: 2 });
    for (const job of ['2', '3', '4']) engine.engine.enqueue('q', Buffer.from(job));
    await eventually(() => engine.told.filter((each) => each === 'refused q 1').length === 2);
    engine.engine.watch('q');
    engine.engine.reserve('q');
    await eventually(() => engine.says(/^job q 1$/));
  });

  it('gives the job of a killed consumer to another one', async () => {
    const server = await natsServer();
    const program = `
      import { ChannelClient } from 'longshore';
      const client = new ChannelClient('${server.address}');
      client.watch('q', () => { console.log('begun'); return new Promise(() => {}); });
      client.connect();
      setInterval(() => {}, 1000);`;
    const flags = ['--conditions=longshore-source', '--input-type=module', '-e', program];
    const child = spawn(process.execPath, flags, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const client = await connected(server.address);
    client.enqueue('q', 'hard');
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    const done: unknown[] = [];
    client.watch('q', (data) => done.push(data));
    const end = Date.now() + 20_000;
    while (done.length === 0 && Date.now() < end) await new Promise((next) => setTimeout(next, 50));
    expect(done).toEqual(['hard']);
  }, 30_000);
});
