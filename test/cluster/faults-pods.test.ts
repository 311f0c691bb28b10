import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeOnCluster, get, kubectl, load } from './support/cluster.ts';
import { build } from './support/docker.ts';
import {
  code,
  conditionIn,
  edit,
  LONG_MS,
  type Operator,
  operator,
  seen,
  server,
  settled,
  uninstall,
} from './support/operator.ts';
import { eventually } from './support/run.ts';

/** Programs that are no Longshore: ready as it seems, and then they do not answer, or lie. */
const LIAR = `
import { createServer } from 'node:http';
const status = {
  silence: () => {},
  garbage: (response) => response.end('<html>hello</html>'),
  types: (response) => response.end(JSON.stringify({ version: 1, pid: 'x', workers: {}, processes: null })),
  huge: (response) => {
    response.write('[');
    const more = () => { while (response.writable && response.write('0,'.repeat(50_000))); };
    response.on('drain', more);
    more();
  },
  refusal: (response) => response.writeHead(401).end('no'),
  cut: (response) => response.socket.destroy(),
}[process.env.MODE];
createServer((request, response) => {
  response.on('error', () => {});
  if (request.url === '/livez' || request.url === '/readyz') response.end('ok');
  else status(response);
}).listen(9464);
process.on('SIGTERM', () => process.exit(0));
`;

const MODES = {
  silence: /unreachable: no answer within 2 s/,
  garbage: /nonsense: the answer is not JSON/,
  types: /nonsense: version is 1, expected a text/,
  huge: /nonsense: the answer is over the limit of \d+ bytes/,
  refusal: /unauthorized/,
  cut: /unreachable/,
};
const DEADLINE_SECONDS = 15;
const DRAIN = { propagationSeconds: 0, windowSeconds: 5 };

let here: Operator;
let liar: string;

describeOnCluster('pods that do not answer, or lie', () => {
  beforeAll(async () => {
    here = await operator('liars');
    liar = `${here.image}-liar`;
    const folder = mkdtempSync(join(tmpdir(), 'liar-'));
    writeFileSync(join(folder, 'liar.mjs'), LIAR);
    const lines = [
      `FROM ${here.image}`,
      'COPY liar.mjs /liar.mjs',
      'ENTRYPOINT ["node", "/liar.mjs"]',
    ];
    writeFileSync(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
    await build(folder, liar);
    rmSync(folder, { recursive: true });
    await load(liar);
    await code(here.namespace);
    // All at the same time: each waits for its deadlines.
    await Promise.all(
      Object.keys(MODES).map(async (mode) => {
        await server(here, { ...spec(mode), replicas: 2 }, mode);
        await settled(here.namespace, mode);
        await edit(here.namespace, { spec: { image: liar } }, mode);
      }),
    );
  }, 2 * LONG_MS);

  afterAll(async () => {
    await kubectl('delete', 'lss', '--all', '-n', here.namespace, '--timeout=100s');
    await uninstall(here);
  }, LONG_MS);

  it.each(Object.entries(MODES))(
    'a rollout to them (%s) stops at the surge, leaves the others alone, and says what they say',
    async (mode, said) => {
      const found = await eventually(
        `${mode} is told apart`,
        async () => {
          const now = await seen(here.namespace, mode);
          return now.status?.phase === 'Stalled' && now;
        },
        LONG_MS,
      );
      expect(conditionIn(found, 'Ready')).toMatchObject({
        status: 'False',
        reason: 'PodSilent',
        message: expect.stringMatching(said),
      });
      expect(found.status).toMatchObject({
        readyReplicas: 3,
        updatedReplicas: 0,
        drainingReplicas: 0,
      });
      const olds = found.status?.pods.filter(({ revision }) => revision !== found.status?.revision);
      expect(olds?.map(({ state }) => state)).toEqual(['Serving', 'Serving']);
    },
    LONG_MS,
  );

  it(
    'keep no operator from the others',
    async () => {
      await server(here, spec('none'), 'good');
      await settled(here.namespace, 'good', 60_000);
      const began = Date.now();
      await edit(here.namespace, { spec: { config: { greeting: 'hi' } } }, 'good');
      await settled(here.namespace, 'good');
      expect(Date.now() - began).toBeLessThan(20_000);
      const [pod] = (
        await get<Pods>('pods -l app.kubernetes.io/component=operator', here.namespace)
      ).items;
      expect(pod?.status.containerStatuses[0]?.restartCount).toBe(0);
    },
    LONG_MS,
  );

  it(
    'a rollout away from them ends at the deadline of their drain',
    async () => {
      const away = async (mode: string) => {
        await edit(here.namespace, { spec: { image: here.image } }, mode);
        await settled(here.namespace, mode);
      };
      await Promise.all(Object.keys(MODES).map(away));
    },
    LONG_MS,
  );
});

type Pods = {
  readonly items: readonly {
    readonly status: { readonly containerStatuses: readonly { readonly restartCount: number }[] };
  }[];
};

const spec = (mode: string): object => ({
  env: [{ name: 'MODE', value: mode }],
  drain: DRAIN,
  rollout: { minReadySeconds: 1, progressDeadlineSeconds: DEADLINE_SECONDS },
});
