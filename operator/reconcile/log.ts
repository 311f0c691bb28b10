/** Logs of the operator: one JSON object a line, on standard output. */

// Who reads the log may go; we go on.
process.stdout.on('error', () => {});

type Fields = Readonly<Record<string, unknown>>;

function write(level: 'info' | 'warn' | 'error', message: string, fields: Fields): void {
  const line = { time: new Date().toISOString(), level, message, ...fields };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

export const log = {
  info: (message: string, fields: Fields = {}): void => write('info', message, fields),
  warn: (message: string, fields: Fields = {}): void => write('warn', message, fields),
  error: (message: string, fields: Fields = {}): void => write('error', message, fields),
} as const;
