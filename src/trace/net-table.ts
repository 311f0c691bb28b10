/**
 * Sockets as `/proc/PID/net/tcp` and its siblings list them. Pure.
 *
 *     sl local_address rem_address st … inode        addresses in hex, each 32-bit word in the machine's byte order
 */

/** One socket of the table. */
export type NetSocket = {
  readonly inode: string;
  readonly local: string;
  readonly remote: string;
  /** As `ss` names it, for example `ESTAB`, `LISTEN`, `SYN-SENT`. */
  readonly state: string;
};

const STATES: Readonly<Record<string, string>> = {
  '01': 'ESTAB',
  '02': 'SYN-SENT',
  '03': 'SYN-RECV',
  '04': 'FIN-WAIT-1',
  '05': 'FIN-WAIT-2',
  '06': 'TIME-WAIT',
  '07': 'UNCONN',
  '08': 'CLOSE-WAIT',
  '09': 'LAST-ACK',
  '0A': 'LISTEN',
  '0B': 'CLOSING',
};

/** Reads the content of `tcp`, `tcp6`, `udp` or `udp6`. */
export function netTable(content: string): NetSocket[] {
  return content
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns.length > 9)
    .map((columns) => ({
      inode: columns[9] as string,
      local: addressOf(columns[1] as string),
      remote: addressOf(columns[2] as string),
      state: STATES[columns[3] as string] ?? (columns[3] as string),
    }));
}

/** `0100007F:1CCD` as `127.0.0.1:7373`. */
export function addressOf(hex: string): string {
  const [host = '', port = '0'] = hex.split(':');
  const bytes = [...Buffer.from(host, 'hex')];
  // Each word of four bytes stands in reverse.
  for (let i = 0; i < bytes.length; i += 4) bytes.splice(i, 4, ...bytes.slice(i, i + 4).reverse());
  const number = Number.parseInt(port, 16);
  if (bytes.length === 4) return `${bytes.join('.')}:${number}`;
  const mapped = bytes.slice(0, 12).join() === '0,0,0,0,0,0,0,0,0,0,255,255';
  if (mapped) return `${bytes.slice(12).join('.')}:${number}`;
  const groups = Array.from({ length: 8 }, (_, i) =>
    Buffer.from(bytes.slice(i * 2, i * 2 + 2)).toString('hex'),
  );
  return `${new URL(`http://[${groups.join(':')}]`).hostname}:${number}`;
}
