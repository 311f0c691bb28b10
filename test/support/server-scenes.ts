import { ANNOTATION } from '../../operator/api/names.ts';
import { undoOf } from '../../operator/reconcile/undo.ts';
import { type Scene, scenesOf } from './plan-scenes.ts';
import { end, lose, restart, type WorldPod } from './server-pods.ts';
import { ServerWorld, type SpecPart } from './server-world.ts';

/**
 * Scenes of a server as text, in the form of `plan-scenes.ts`: a comment that says what happens, commands, `----`, and
 * what the operator does, each with its second. Actions of one second are one line, events are lines of their own.
 *
 *     SECOND server FIELD=VALUE…      its first version; `drain=2+8` is short for propagation and window
 *     SECOND edit FIELD=VALUE…        paths with dots, values as JSON or text; `FIELD=` takes it away
 *     SECOND clients COUNT            SECOND settle      runs until Ready is True, and says when
 *     SECOND break IMAGE WORDS        its pods do not become ready, because of that; SECOND mend IMAGE
 *     SECOND silent IMAGE             the admin ports of its pods do not answer
 *     SECOND quota PODS               the namespace may have no more of them
 *     SECOND mute|heard POD           its admin port is silent, or answers again
 *     SECOND stays|leaves POD         its clients stay while it drains, or leave
 *     SECOND lose|evict|restart POD   gone at once; ended by somebody; its container is started anew
 *     SECOND code DIGEST [bad]        SECOND config DIGEST
 *     SECOND programs WORKER…         Workers that the program has, if not all that the spec names
 *     SECOND reload|undo WORD         the annotations of a server
 *     SECOND missing|refused WORDS    `-`: not any more
 *     SECOND away|back                the operator
 *     SECOND show|change|until|pods|why TYPE…   writes down a part of the status
 */
export { type Scene, scenesOf };

/** What happens in a scene, in the words of its expectations. */
export function played({ commands }: Scene): string[] {
  const world = worldOf(commands[0] ?? '');
  const said: string[] = [];
  for (const command of commands.slice(1)) {
    const [second = '', word = '', ...args] = command.split(' ');
    while (world.seconds < Number(second)) world.step();
    said.push(...world.log.splice(0));
    said.push(...perform(world, word, args).map((line) => `${world.seconds} ${line}`));
    said.push(...world.log.splice(0));
  }
  return joined(said.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)));
}

/** Actions of one second in one line. */
function joined(lines: readonly string[]): string[] {
  const result: string[] = [];
  let last = '';
  for (const line of lines) {
    const [second = '', word = ''] = line.split(' ');
    const isAction = ACTIONS.includes(word);
    if (isAction && last === second)
      result[result.length - 1] += line.slice(second.length).replace(' ', ', ');
    else result.push(line);
    last = isAction ? second : '';
  }
  return result;
}

const ACTIONS = [
  ...['create', 'number', 'scale', 'delete', 'open', 'close', 'mark', 'unmark'],
  ...['drain', 'undrain', 'reload', 'adopt', 'config'],
];

function worldOf(command: string): ServerWorld {
  const [, word, ...fields] = command.split(' ');
  if (word !== 'server') throw new Error(`a scene begins with a server, not with: ${command}`);
  let turn = 0;
  // Evenly spread, and the same each time.
  const random = () => {
    turn = (turn + 0.618_033_988_75) % 1;
    return turn;
  };
  return new ServerWorld(
    withFields({ drain: { propagationSeconds: 2, windowSeconds: 8 } }, fields),
    random,
  );
}

function withFields(spec: SpecPart, fields: readonly string[]): SpecPart {
  const result = structuredClone(spec) as Record<string, unknown>;
  for (const field of fields) {
    const at = field.indexOf('=');
    const path = field.slice(0, at).split('.');
    const last = path.pop() ?? '';
    let parent = result;
    for (const key of path) {
      parent[key] ??= {};
      parent = parent[key] as Record<string, unknown>;
    }
    const value = readValue(field.slice(at + 1));
    if (value === undefined) delete parent[last];
    else parent[last] = value;
  }
  return result as SpecPart;
}

function readValue(text: string): unknown {
  if (text === '') return undefined;
  const drain = /^(\d+)\+(\d+)$/.exec(text);
  if (drain) return { propagationSeconds: Number(drain[1]), windowSeconds: Number(drain[2]) };
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

type Verb = (world: ServerWorld, args: readonly string[]) => string[] | undefined;

const onPod =
  (does: (world: ServerWorld, pod: WorldPod) => void): Verb =>
  (world, [name = '']) => {
    const pod = world.pods.get(name);
    if (!pod) throw new Error(`${world.seconds}: there is no pod ${name}`);
    does(world, pod);
    return undefined;
  };

const none = (words: readonly string[]): boolean => words[0] === '-';

const VERBS: Readonly<Record<string, Verb>> = {
  wait: () => undefined,
  clients: (world, [count]) => {
    world.come(Number(count));
    return undefined;
  },
  edit: (world, fields) => {
    become(world, withFields(world.server.spec, fields));
    return undefined;
  },
  settle: (world) => {
    world.settle();
    return ['settled'];
  },
  break: (world, [image = '', ...words]) => {
    world.broken.set(image, words.join(' '));
    return undefined;
  },
  mend: (world, [image = '']) => {
    world.broken.delete(image);
    return undefined;
  },
  silent: (world, [image = '']) => {
    world.silent.add(image);
    return undefined;
  },
  quota: (world, [pods]) => {
    world.quota = Number(pods);
    return undefined;
  },
  mute: onPod((_, pod) => {
    pod.mute = true;
  }),
  heard: onPod((_, pod) => {
    pod.mute = false;
  }),
  stays: onPod((_, pod) => {
    pod.stays = true;
  }),
  leaves: onPod((_, pod) => {
    pod.stays = false;
  }),
  lose: onPod(lose),
  evict: onPod(end),
  restart: onPod(restart),
  code: (world, [digest = '', bad]) => {
    world.code = digest;
    if (bad) world.badCode.add(digest);
    return undefined;
  },
  config: (world, [digest = '']) => {
    world.config = digest;
    return undefined;
  },
  programs: (world, names) => {
    world.program = names;
    return undefined;
  },
  reload: (world, [value = '']) => {
    world.annotate(ANNOTATION.reload, value);
    return undefined;
  },
  undo: (world, [wish = '']) => {
    world.annotate(ANNOTATION.undo, wish);
    const undo = undoOf(world.server, [...world.sets.values()]);
    if (undo.is === 'nothing') throw new Error('nothing to undo');
    const next = patched(world.server, undo.patch) as typeof world.server;
    world.server = { ...world.server, metadata: next.metadata };
    become(world, next.spec);
    return [undo.message];
  },
  missing: (world, words) => {
    world.missing = none(words) ? [] : [words.join(' ')];
    world.code = undefined;
    return undefined;
  },
  refused: (world, words) => {
    world.refused = none(words) ? undefined : words.join(' ');
    return undefined;
  },
  away: (world) => {
    world.operator = () => {};
    return undefined;
  },
  back: (world) => {
    world.operator = () => world.operate(world.observed());
    return undefined;
  },
};

function perform(world: ServerWorld, word: string, args: readonly string[]): string[] {
  const shown = SHOWN[word];
  if (shown) return shown(world, args);
  const verb = VERBS[word];
  if (!verb) throw new Error(`no such command: ${word}`);
  return verb(world, args) ?? [];
}

/** The whole spec, so that fields go that it does not have. */
function become(world: ServerWorld, spec: SpecPart): void {
  const gone = Object.keys(world.server.spec).map((key) => [key, undefined]);
  world.edit({ ...Object.fromEntries(gone), ...spec });
}

/** JSON merge patch (RFC 7396). */
export function patched(value: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(value) ? { ...value } : {};
  for (const [key, each] of Object.entries(patch)) {
    if (each === null) delete result[key];
    else result[key] = patched(result[key], each);
  }
  return result;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const SHOWN: Readonly<Record<string, (world: ServerWorld, args: readonly string[]) => string[]>> = {
  show: ({ decision }) => {
    const status = decision?.status;
    if (!status) return ['nothing'];
    const { phase, replicas, readyReplicas, updatedReplicas, drainingReplicas, connections } =
      status;
    return [
      `${phase}: ${replicas} pods, ${readyReplicas} ready, ${updatedReplicas} updated, ${drainingReplicas} draining, ${connections} connections`,
    ];
  },
  change: ({ decision }) => {
    const change = decision?.status.change;
    return [
      change
        ? `${change.class} (${change.reason}): ${change.progress}${change.finishedAt ? ', done' : ''}`
        : 'no change',
    ];
  },
  until: ({ decision, now }) => {
    const { expectedAt } = decision?.status.change ?? {};
    const seconds = expectedAt && Math.round((Date.parse(expectedAt) - now) / 1000);
    return [seconds === undefined ? 'no estimate' : `done in ${seconds} s`];
  },
  pods: ({ decision }) => [
    (decision?.status.pods ?? [])
      .map(({ name, state, connections }) => `${name} ${state} ${connections ?? '?'}`)
      .join(', ') || 'no pods',
  ],
  why: ({ decision }, types) =>
    types.map((type) => {
      const found = decision?.status.conditions.find((each) => each.type === type);
      return `${type} ${found?.status} ${found?.reason}: ${found?.message}`;
    }),
};
