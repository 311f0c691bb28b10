import { ENV } from '../contract.ts';
import { messageOf } from '../errors.ts';
import type { ToMaster } from '../master/messages.ts';

/**
 * Loaded into a process before its program (`node --import`): when the program cannot be loaded, for a syntax error or an
 * import of what is not there, nothing of ours runs in it, and the master would only see that it has ended.
 */

/** Where the listener is kept; the program may have another copy of this package than its master. */
const LISTENER = Symbol.for('longshore.load-errors');

type Kept = { [LISTENER]?: (error: unknown) => void };

/** The program is loaded: from here on its own process tells of errors. */
export function loaded(): void {
  const { [LISTENER]: listener } = process as unknown as Kept;
  if (listener) process.off('uncaughtExceptionMonitor', listener);
}

/** `/app.ts:3: SyntaxError: Expression expected`: on one line, with the place if the stack has it. */
export function loadError(error: unknown): string {
  const name = (error as Error | undefined)?.name ?? 'Error';
  const message = `${name}: ${messageOf(error)}`.replaceAll(/\s*\n\s*/g, ' ');
  const place = placeOf(Error.isError(error) ? ((error as Error).stack ?? '') : '');
  return place === undefined ? message : `${place}: ${message}`;
}

/** What cannot be compiled is named in the stack's first line; what throws, by the first frame in a file. */
function placeOf(stack: string): string | undefined {
  const found =
    /^(?:file:\/\/)?(\/[^\n]*:\d+)\n/.exec(stack) ?? /file:\/\/(\/[^\n]*:\d+):\d+/.exec(stack);
  const place = found?.[1];
  try {
    return place === undefined ? undefined : decodeURI(place);
  } catch {
    // No URL, but a path with a "%".
    return place;
  }
}

function tell(error: unknown): void {
  const message = `the program cannot be loaded: ${loadError(error)}`;
  process.send?.({ t: 'failed', code: 'START_FAILED', message, never: false } satisfies ToMaster);
}

if (process.env[ENV.child] !== undefined && process.send) {
  // A process that the program forks itself would load this as well, and talk to the program as if it were the master.
  const at = process.execArgv.indexOf(`--import=${import.meta.url}`);
  if (at >= 0) process.execArgv.splice(at, 1);
  (process as unknown as Kept)[LISTENER] = tell;
  process.on('uncaughtExceptionMonitor', tell);
}
