import type { ConnectionList } from '../master/operations.ts';
import { bytes, type Column, count, headline, table } from './columns.ts';

type Row = ConnectionList['connections'][number];

/**
 * The columns of Workerman's `connections`, made to fit 120: one for both IP versions, and of the local address only the
 * port, since the rest is the Worker's.
 */
const COLUMNS: readonly Column<Row>[] = [
  { head: 'PID', cell: ({ pid }) => String(pid), right: true },
  { head: 'Worker', cell: ({ worker }) => worker, max: 14, give: 6 },
  { head: 'CID', cell: ({ id }) => count(id), right: true },
  { head: 'Trans', cell: ({ transport }) => transport },
  { head: 'Protocol', cell: ({ protocol }) => protocol, max: 15, give: 6 },
  { head: 'IP', cell: ({ ipv6, remote }) => (remote === '' ? '-' : ipv6 ? '6' : '4') },
  { head: 'Recv-Q', cell: ({ recvQ }) => bytes(recvQ), right: true },
  { head: 'Send-Q', cell: ({ sendQ }) => bytes(sendQ), right: true },
  { head: 'Bytes-R', cell: ({ bytesRead }) => bytes(bytesRead), right: true },
  { head: 'Bytes-W', cell: ({ bytesWritten }) => bytes(bytesWritten), right: true },
  { head: 'Status', cell: ({ status }) => status },
  { head: 'Local', cell: ({ local }) => local.slice(local.lastIndexOf(':')), right: true },
  { head: 'Foreign Address', cell: ({ remote }) => remote, give: 20 },
];

/** Connections as text, by process and id. */
export function connectionsText({ connections, busy, cut }: ConnectionList): string {
  const rows = [...connections].sort((a, b) => a.pid - b.pid || a.id - b.id);
  const lines = [headline('CONNECTIONS'), ...table(rows, COLUMNS)];
  for (const pid of busy)
    lines.push(`${pid} [busy]: did not answer, its connections are not listed`);
  if (cut) lines.push(`... more: --limit N shows them`);
  return `${lines.join('\n')}\n`;
}
