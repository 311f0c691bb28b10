import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { resources } from '../../operator/kube/resources.ts';
import { apply, describeOnCluster, get, kubectl } from './support/cluster.ts';
import {
  code,
  conditionIn,
  ECHO,
  edit,
  LONG_MS,
  type Operator,
  operator,
  type PodObject,
  podsOf,
  seen,
  server,
  settled,
  uninstall,
} from './support/operator.ts';
import { eventually } from './support/run.ts';

/** The operator is made to do everything that it ever does; the rights it has are those it has used. */

const NAME = 'busy';
let here: Operator;
/** `verb group/resource` of all requests, of operators that are gone too. */
const used = new Set<string>();

describeOnCluster('the rights of the operator', () => {
  beforeAll(async () => {
    here = await operator('rbac', 'replicas=2');
  }, LONG_MS);
  afterAll(async () => {
    await kubectl('delete', 'lss', '--all', '-n', here.namespace, '--timeout=60s');
    await uninstall(here);
  }, LONG_MS);

  it(
    'are exactly what it uses',
    async () => {
      await begin();
      await change();
      await history();
      await token();
      await foreign();
      await channel();
      await end();
      await note();
      const granted = await rules();
      expect([...used].filter((each) => !granted.has(each)).sort()).toEqual([]);
      expect([...granted].filter((each) => !used.has(each)).sort()).toEqual([]);
    },
    2 * LONG_MS,
  );
});

const now = () => settled(here.namespace, NAME);
const patch = (spec: object) => edit(here.namespace, { spec }, NAME);
const annotate = (text: string) =>
  kubectl('annotate', 'lss', NAME, '-n', here.namespace, '--overwrite', text);

/** A server whose code comes later. */
async function begin(): Promise<void> {
  await server(here, { replicas: 2, drain: { propagationSeconds: 0, windowSeconds: 1 } }, NAME);
  await eventually('it says what is missing', async () => {
    const found = await seen(here.namespace, NAME);
    return conditionIn(found, 'Ready')?.reason === 'Missing';
  });
  await code(here.namespace);
  await now();
}

async function change(): Promise<void> {
  await patch({ config: { greeting: 'hi' } });
  await now();
  await code(here.namespace, ECHO.replace('`one', '`two'));
  await patch({ replicas: 1 });
  await now();
  await patch({ env: [{ name: 'A', value: '1' }] });
  await now();
}

/** Back, back to what does not exist, twice, and with no history at all. */
async function history(): Promise<void> {
  await annotate('longshore.dev/undo=previous');
  await now();
  for (const wish of ['longshore.dev/undo=99', 'longshore.dev/undo=99']) {
    await annotate(wish);
    await eventually('it is taken off', async () => {
      const { metadata } = await seen(here.namespace, NAME);
      return metadata.annotations?.['longshore.dev/undo'] === undefined;
    });
  }
  await patch({ rollout: { revisionHistoryLimit: 0 }, service: { type: 'None' } });
  await now();
  await eventually('one set', async () => (await sets()).length === 1);
}

/** The leader goes; the other finds a Secret without a token. */
async function token(): Promise<void> {
  await note();
  await kubectl(
    ...['patch', 'secret', `${NAME}-admin`, '-n', here.namespace],
    ...['--type=merge', '-p', '{"data":{"token":null}}'],
  );
  const leader = await leaderOf();
  await kubectl('delete', 'pod', leader, '-n', here.namespace);
  await eventually('another leads', async () => (await leaderOf()) !== leader, LONG_MS);
  await eventually('a token', async () => {
    const secret = await get<{ data?: { token?: string } }>(`secret ${NAME}-admin`, here.namespace);
    return secret.data?.token !== undefined;
  });
}

/** Somebody else's ReplicaSet has the name of the one that a server wants. */
async function foreign(): Promise<void> {
  const { revision = '' } = (await seen(here.namespace, NAME)).status ?? {};
  const labels = { app: 'foreign' };
  await apply({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: `other-${revision}`, namespace: here.namespace },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'none', image: 'longshore.test/nothing:1' }] },
      },
    },
  });
  const { spec } = await seen(here.namespace, NAME);
  await apply({
    apiVersion: 'longshore.dev/v1alpha1',
    kind: 'SocketServer',
    metadata: { name: 'other', namespace: here.namespace },
    spec: { ...spec, replicas: 1 },
  });
  await eventually('it says so', async () => {
    const found = await seen(here.namespace, 'other');
    return conditionIn(found, 'Ready')?.message.includes('exists');
  });
}

/** A ChannelServer without pods, which says how it is, and that asks for a revision that it never had. */
async function channel(): Promise<void> {
  await apply({
    apiVersion: 'longshore.dev/v1alpha1',
    kind: 'ChannelServer',
    metadata: {
      name: 'events',
      namespace: here.namespace,
      annotations: { 'longshore.dev/undo': '99' },
    },
    spec: { engine: 'nats', nats: { servers: ['nats://nats.example:4222'] } },
  });
  await eventually('it has a status, and the wish is taken off', async () => {
    const { metadata, status } = await get<{
      metadata: { annotations?: Record<string, string> };
      status?: { conditions?: unknown[] };
    }>('channelserver events', here.namespace);
    return status?.conditions && metadata.annotations?.['longshore.dev/undo'] === undefined;
  });
  await kubectl('delete', 'channelserver', 'events', '-n', here.namespace);
}

async function end(): Promise<void> {
  await patch({ replicas: 0 });
  await eventually(
    'no pod',
    async () => (await podsOf(here.namespace, NAME)).length === 0,
    LONG_MS,
  );
}

type List = { readonly items: readonly PodObject[] };
const sets = async () =>
  (await get<List>(`rs -l longshore.dev/server=${NAME}`, here.namespace)).items;

async function leaderOf(): Promise<string> {
  const lease = await get<{ spec: { holderIdentity?: string } }>(
    'lease longshore-operator',
    here.namespace,
  );
  return lease.spec.holderIdentity ?? '';
}

/** Writes down what the operators that run now have asked for. */
async function note(): Promise<void> {
  const found = await get<List>('pods -l app.kubernetes.io/component=operator', here.namespace);
  const groups = new Map(Object.values(resources).map(({ plural, group }) => [plural, group]));
  for (const { status } of found.items) {
    const text = await (await fetch(`http://${status.podIP}:9465/metrics`)).text();
    for (const [, verb, resource = '', answer] of text.matchAll(REQUEST)) {
      const group = groups.get(resource.split('/')[0] ?? '');
      if (group === undefined) continue;
      used.add(`${verb} ${group}/${resource}`);
      // An apply that makes something needs both rights.
      if (verb === 'patch' && answer === '201') used.add(`create ${group}/${resource}`);
    }
  }
}

const REQUEST =
  /^longshore_operator_api_requests_total\{verb="(\w+)",resource="([\w/]+)",code="(\d+)"\} /gm;

type Rules = {
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
};

async function rules(): Promise<Set<string>> {
  const cluster = `${here.namespace}-longshore`;
  const all = await Promise.all(
    [`clusterrole ${cluster}`, 'role longshore', `role ${cluster}-servers`].map((each) =>
      get<Rules>(each, here.namespace),
    ),
  );
  return new Set(
    all.flatMap(({ rules: list }) =>
      list.flatMap(({ apiGroups: [group], resources: kinds, verbs }) =>
        kinds.flatMap((kind) => verbs.map((verb) => `${verb} ${group}/${kind}`)),
      ),
    ),
  );
}
