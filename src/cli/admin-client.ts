import { request } from 'node:http';
import { controlPath, otherUsers, runtimeDir } from '../control-path.ts';
import { codeOf, LongshoreError } from '../errors.ts';
import { listenerOf } from './listener-of.ts';
import { quoted } from './quoted.ts';

/** Longest wait for an answer; the master itself answers within half a second whatever its processes do. */
const TIMEOUT_MS = 3000;
/** Code of the error when that time is over. */
const SILENT = 'ETIMEDOUT';

/**
 * One admin call over a control socket.
 *
 * @returns the decoded answer
 * @throws {LongshoreError} `NOT_RUNNING` if nobody listens there; `RELOAD_FAILED` never
 */
export async function call<T>(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const payload = body === undefined ? '' : JSON.stringify(body);
  const ask = request({
    socketPath,
    method,
    path,
    headers: { 'content-length': Buffer.byteLength(payload) },
  });
  ask.setTimeout(TIMEOUT_MS, () =>
    ask.destroy(
      Object.assign(new Error(`no answer within ${TIMEOUT_MS / 1000} s`), { code: SILENT }),
    ),
  );
  ask.on('error', reject);
  ask.on('response', (answer) => {
    let text = '';
    answer.setEncoding('utf8');
    answer.on('data', (chunk) => {
      text += chunk;
    });
    answer.on('end', () =>
      answer.statusCode === 200
        ? resolve(text)
        : reject(new Error(`${answer.statusCode}: ${text.trim()}`)),
    );
  });
  ask.end(payload);
  return JSON.parse(await promise) as T;
}

/** Whether an error of `call` means that no master is there. */
export function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ECONNREFUSED'].includes(codeOf(error) ?? '');
}

/** The error to show when a program has no master. */
export function notRunning(file: string): LongshoreError {
  const others = otherUsers(file);
  const where =
    others.length > 0
      ? `it runs as user ${others.join(', ')}: use that account, or sudo`
      : `start it with: longshore start ${quoted(file)} (looked for ${controlPath(file)} in ${runtimeDir()})`;
  return new LongshoreError('NOT_RUNNING', `${file} is not running; ${where}`);
}

/** The error to show when a master is there and silent: stopped by a signal, or in a loop. */
function hanging(file: string): LongshoreError {
  const pid = listenerOf(controlPath(file));
  const master = pid === undefined ? 'the master' : `the master, pid ${pid},`;
  const end = pid === undefined ? '' : `; kill -9 ${pid} ends it, and its processes then leave`;
  return new LongshoreError(
    'NO_ANSWER',
    `${file}: ${master} has not answered for ${TIMEOUT_MS / 1000} s${end}`,
  );
}

/** A call to a program's master. @throws {LongshoreError} `NOT_RUNNING`, or `NO_ANSWER` after 3 s */
export async function callProgram<T>(
  file: string,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<T> {
  try {
    return await call<T>(controlPath(file), method, path, body);
  } catch (error) {
    if (codeOf(error) === SILENT) throw hanging(file);
    throw isAbsent(error) ? notRunning(file) : error;
  }
}
