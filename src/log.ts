import { ENV } from './contract.ts';

/**
 * One line a message, to stdout: with date and pid for people, as JSON where `LONGSHORE_LOG=json`.
 *
 * A log that cannot be written (full disk, closed pipe) is given up line by line and counted; it never ends the server.
 */

const json = process.env[ENV.logFormat] === 'json';
let lost = 0;

export const log = {
  info: (message: string): void => line('info', message),
  warn: (message: string): void => line('warn', message),
  error: (message: string): void => line('error', message),
};

/** How many writes to stdout or stderr failed since the start of this process. */
export function lostLines(): number {
  return lost;
}

/** Keeps failing writes to stdout and stderr from ending the process. Called once by every process of ours. */
export function surviveBrokenOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {
      lost += 1;
    });
  }
}

function line(level: 'info' | 'warn' | 'error', message: string): void {
  const now = new Date();
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ time: now.toISOString(), level, pid: process.pid, message })}\n`,
    );
    return;
  }
  const mark = level === 'info' ? '' : `${level}: `;
  process.stdout.write(`${localTime(now)} pid:${process.pid} ${mark}${message}\n`);
}

/** `2026-01-31 13:05:09`, in the machine's time zone. */
export function localTime(date: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
