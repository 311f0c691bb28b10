import { beforeAll, expect, it } from '@jest/globals';
import { describeOnCluster, get, kubectl } from './support/cluster.ts';
import { Crowd } from './support/crowd.ts';
import {
  address,
  code,
  conditionIn,
  ECHO,
  edit,
  LONG_MS,
  type Operator,
  operator,
  seen,
  server,
  settled,
} from './support/operator.ts';
import { eventually } from './support/run.ts';
import { everyAnswer, lines, lives, Visitors } from './support/visit.ts';

const PODS = 3;
/** Processes of a pod, unless the spec says otherwise. */
const PROCESSES = 2;
/** New connections a second. */
const VISITORS = 200;
const TWO = ECHO.replace('`one ', '`two ');

let here: Operator;

/** Waits until the change that began after `since` is through. */
function through(kind: string, since: number) {
  return eventually(
    `a ${kind} being through`,
    async () => {
      const { status } = await seen(here.namespace);
      const change = status?.change;
      if (change?.class !== kind || Date.parse(change.startedAt) < since) return undefined;
      return change.finishedAt !== undefined && status;
    },
    LONG_MS,
  );
}

/** Does something while new connections come all the time. */
async function withVisitors<T>(what: string, act: () => Promise<T>): Promise<T> {
  const before = await lives(here.namespace);
  const visitors = new Visitors(await address(here.namespace), VISITORS);
  try {
    await eventually('visitors', () => visitors.count > VISITORS);
    const result = await act();
    const { count } = visitors;
    await eventually('visitors after it', () => visitors.count > count + VISITORS);
    return result;
  } finally {
    await visitors.stop();
    console.log(`${what}: ${visitors.count} visits`, visitors.ends, `${visitors.held} held back`);
    expect(visitors.failures).toEqual([]);
    // The pods are the same ones, and so are their containers.
    expect(await lives(here.namespace)).toEqual(before);
  }
}

const now = () => Math.floor(Date.now() / 1000) * 1000;
const REPLACED = { class: 'WorkerReload', reason: 'code, workers or reload' };

describeOnCluster('an edit of a server', () => {
  beforeAll(async () => {
    here = await operator('edits');
    await code(here.namespace);
    await server(here, {
      replicas: PODS,
      config: { colour: 'red' },
      tuning: { mode: 'UserNamespace' },
    });
    await settled(here.namespace);
  }, LONG_MS);

  it(
    'of config is in every process within 5 s, and closes nobody',
    async () => {
      const all = await lines(here.namespace, PROCESSES);
      const pids = (await Promise.all(all.map((line) => line.ask()))).map(({ pid }) => pid);
      const crowd = new Crowd(await address(here.namespace), 100);
      await crowd.come();
      const since = now();
      await edit(here.namespace, { spec: { config: { colour: 'blue' } } });
      const applied = Date.now();
      const answers = await eventually('all have it', async () => {
        const those = await Promise.all(all.map((line) => line.ask()));
        return those.every(({ config }) => config['colour'] === 'blue') && those;
      });
      const seconds = (Date.now() - applied) / 1000;
      console.log(`config: in ${answers.length} processes ${seconds} s after kubectl`);
      expect(answers).toHaveLength(PODS * PROCESSES);
      expect(seconds).toBeLessThanOrEqual(5);
      const status = await through('Hot', since);
      expect(status.change).toMatchObject({ class: 'Hot', reason: 'config' });
      expect((await Promise.all(all.map((line) => line.ask()))).map(({ pid }) => pid)).toEqual(
        pids,
      );
      expect(all.map(({ closed }) => closed)).toEqual(all.map(() => undefined));
      expect(crowd.goodbyes).toEqual([]);
      for (const line of all) line.hangUp();
      crowd.leave();
    },
    LONG_MS,
  );

  it(
    'of the code in its ConfigMap replaces processes inside the pods, and refuses nobody',
    async () => {
      const since = now();
      const { change } = await withVisitors('code', async () => {
        await code(here.namespace, TWO);
        return through('WorkerReload', since);
      });
      expect(change).toMatchObject(REPLACED);
      const answers = await everyAnswer(here.namespace, PROCESSES);
      expect(answers.map((each) => each.code)).toEqual(Array(PODS * PROCESSES).fill('two'));
      // And what was hot is not forgotten.
      expect(answers.map(({ config }) => config['colour'])).toEqual(
        Array(PODS * PROCESSES).fill('blue'),
      );
    },
    LONG_MS,
  );

  it(
    'of workers[].count makes more processes inside the pods, and fewer',
    async () => {
      for (const count of [PROCESSES + 1, PROCESSES]) {
        const since = now();
        const { change } = await withVisitors(`${count} processes`, async () => {
          const workers = [{ name: 'chat', listen: 'websocket://0.0.0.0:7272', count }];
          await edit(here.namespace, { spec: { workers } });
          return through('WorkerReload', since);
        });
        expect(change).toMatchObject(REPLACED);
        const pids = new Set<string>();
        for (const { pod, pid } of await everyAnswer(here.namespace, count))
          pids.add(`${pod} ${pid}`);
        expect(pids.size).toBe(PODS * count);
      }
    },
    2 * LONG_MS,
  );

  it(
    'of the annotation for it replaces all processes',
    async () => {
      const pidsOf = async () =>
        (await everyAnswer(here.namespace, PROCESSES)).map(({ pod, pid }) => `${pod} ${pid}`);
      const before = await pidsOf();
      const since = now();
      const { change } = await withVisitors('annotation', async () => {
        const annotation = `longshore.dev/reload=${since}`;
        await kubectl('annotate', 'lss', 'chat', '-n', here.namespace, annotation);
        return through('WorkerReload', since);
      });
      expect(change).toMatchObject(REPLACED);
      const after = await pidsOf();
      expect(after).toHaveLength(before.length);
      expect(after.filter((each) => before.includes(each))).toEqual([]);
    },
    LONG_MS,
  );

  it(
    'to broken code stops at the first pod, which keeps the old; mended code goes on',
    async () => {
      const crowd = new Crowd(await address(here.namespace), 60);
      await crowd.come();
      const before = await lives(here.namespace);
      await code(here.namespace, `${TWO}\nthrow new Error('it is broken');\n`.replace('await', ''));
      const stalled = await eventually(
        'it is stalled',
        async () => {
          const found = await seen(here.namespace);
          return conditionIn(found, 'Stalled')?.status === 'True' && found;
        },
        LONG_MS,
      );
      expect(stalled.status?.phase).toBe('Stalled');
      expect(conditionIn(stalled, 'Ready')).toMatchObject({
        status: 'False',
        reason: 'ReloadFailed',
        message: expect.stringMatching(
          /^pod chat-.* runs the old code, the others were left alone/,
        ),
      });
      await eventually('an event', async () => {
        const text = await kubectl(
          ...['get', 'events', '-n', here.namespace, '--field-selector=reason=ReloadFailed'],
        );
        return text.includes('runs the old code');
      });
      const told = await get<{ items: { metadata: { annotations?: object } }[] }>(
        'pods -l longshore.dev/server=chat',
        here.namespace,
      );
      const codes = told.items.map(
        ({ metadata }) =>
          (metadata.annotations as Record<string, string>)?.['longshore.dev/reloaded-for'],
      );
      // One was told, and two were not.
      expect(new Set(codes).size).toBe(2);
      expect((await everyAnswer(here.namespace, PROCESSES)).map((each) => each.code)).toEqual(
        Array(PODS * PROCESSES).fill('two'),
      );
      expect(crowd.goodbyes).toEqual([]);
      crowd.leave();
      await code(here.namespace, ECHO);
      await eventually('the mended code', async () => {
        const found = await seen(here.namespace);
        return found.status?.phase === 'Running' && found;
      });
      expect((await everyAnswer(here.namespace, PROCESSES)).map((each) => each.code)).toEqual(
        Array(PODS * PROCESSES).fill('one'),
      );
      expect(await lives(here.namespace)).toEqual(before);
    },
    LONG_MS,
  );
});
