import { readFileSync } from 'node:fs';
import { Plan } from '../../src/master/plan.ts';
import type { Action, PlanEvent, Timing, WorkerSpec } from '../../src/master/plan-types.ts';

/**
 * Scenes of supervision as text. A scene is a comment that says what happens, events, `----`, and the actions that
 * the plan wants, each with its time in seconds. Between the events the plan gets the ticks that it asks for.
 *
 *     TIME start|up WORKERS      `up`: all of them are ready at once, and nothing of it is shown
 *     TIME ready PROC            TIME exited PROC STATUS
 *     TIME failed PROC WORDS     TIME never PROC WORDS     `never`: a second try would fail just the same
 *     TIME reload now|graceful   TIME stop now|drain       TIME hold   TIME release
 *     TIME declare WORKERS       TIME recycle PROC         TIME wait
 *     TIME show                  writes down phase, slots (`chat#0=1`, with `+2` for the incoming process) and reload
 *
 * WORKERS are `NAME*COUNT`, with `!stays` for one that is not reloadable, `!last` for one that others need, and `!moved`
 * for one that is declared with another address.
 */
export type Scene = {
  readonly name: string;
  readonly commands: readonly string[];
  readonly expected: readonly string[];
};

export const TIMING: Timing = {
  startMs: 60_000,
  stopMs: 5000,
  gracefulMs: 300_000,
  drainMs: 30_000,
};

export function scenesOf(file: string): Scene[] {
  const texts = readFileSync(file, 'utf8')
    .trim()
    .split(/\n{2,}/);
  return texts.map((text) => {
    const lines = text.split('\n');
    const name = lines.filter((line) => line.startsWith('# ')).map((line) => line.slice(2));
    const rest = lines.filter((line) => !line.startsWith('#'));
    const rule = rest.indexOf('----');
    return { name: name.join(' '), commands: rest.slice(0, rule), expected: rest.slice(rule + 1) };
  });
}

/** What the plan does in a scene, in the words of its expectations. */
export function played({ commands }: Scene): string[] {
  const [first = ''] = commands;
  const plan = new Plan(workersOf(first.split(' ').slice(2)), TIMING);
  const said: string[] = [];
  const step = (event: PlanEvent, at: number) => {
    for (const action of plan.step(event, at)) said.push(`${at / 1000} ${wordsOf(plan, action)}`);
  };
  for (const command of commands) {
    const [seconds, word = '', ...args] = command.split(' ');
    const now = Math.round(Number(seconds) * 1000);
    for (let at = plan.wakeAt(); at !== undefined && at <= now; at = plan.wakeAt())
      step({ is: 'tick' }, at);
    if (word === 'show') said.push(`${now / 1000} ${shown(plan)}`);
    else if (word === 'up') bringUp(plan, now);
    else if (word !== 'wait') step(eventOf(word, args), now);
  }
  return said;
}

function bringUp(plan: Plan, now: number): void {
  plan.step({ is: 'start' }, now);
  for (const proc of [...plan.procs.all.keys()]) plan.step({ is: 'ready', proc }, now);
}

function workersOf(words: readonly string[]): WorkerSpec[] {
  return words.map((word) => {
    const [what = '', ...marks] = word.split('!');
    const [name = '', count] = what.split('*');
    const reloadable = !marks.includes('stays');
    return { name, count: Number(count), reloadable, last: marks.includes('last') };
  });
}

function eventOf(word: string, args: readonly string[]): PlanEvent {
  const proc = Number(args[0]);
  const message = args.slice(1).join(' ');
  switch (word) {
    case 'start':
    case 'hold':
    case 'release':
      return { is: word };
    case 'ready':
      return { is: 'ready', proc };
    case 'failed':
    case 'never':
      return { is: 'failed', proc, message, never: word === 'never' };
    case 'exited':
      return { is: 'exited', proc, status: Number(args[1]) };
    case 'recycle':
      return { is: 'recycle', proc };
    case 'reload':
      return { is: 'reload', how: args[0] as 'now' | 'graceful' };
    case 'stop':
      return { is: 'stop', how: args[0] as 'now' | 'drain' };
    case 'declare':
      return {
        is: 'declare',
        workers: workersOf(args),
        moved: args
          .filter((each) => each.includes('!moved'))
          .map((each) => each.replace(/[*!].*/, '')),
      };
    default:
      throw new Error(`no such command: ${word}`);
  }
}

function wordsOf(plan: Plan, action: Action): string {
  switch (action.do) {
    case 'fork':
      return `fork ${action.proc} ${action.worker}#${action.slot}`;
    case 'retire':
      return `retire ${action.proc} ${action.how}${action.reload ? ' reload' : ''}`;
    case 'say':
      return `${action.level}: ${action.text}`;
    case 'end':
      return `end ${action.code}${plan.procs.all.size > 0 ? ' too early' : ''}`;
    default:
      return `${action.do} ${action.proc}`;
  }
}

function shown({ phase, slots, reload }: Plan): string {
  const each = slots.map(({ worker, slot, current, incoming }) => {
    const next = incoming === undefined ? '' : `+${incoming}`;
    return `${worker}#${slot}=${current ?? '-'}${next}`;
  });
  const last = reload ? ` reload ${reload.state} ${reload.replaced}/${reload.total}` : '';
  return `${phase}: ${each.join(' ')}${last}`;
}
