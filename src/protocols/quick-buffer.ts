/**
 * What `Buffer.toString` and `Buffer.write` come down to. Each Buffer has it, only the type package does not know it; the
 * checks on the way there cost as much as the work itself where a message is small. Pure.
 */
type QuickBuffer = {
  latin1Slice(start: number, end: number): string;
  utf8Write(text: string, at: number): number;
};

/** `bytes.toString('latin1', start, end)`, within bounds. */
export const latin1Of = (bytes: Buffer, start: number, end: number): string =>
  (bytes as unknown as QuickBuffer).latin1Slice(start, end);

/** `bytes.write(text, at)`, where there is room. */
export const writeText = (bytes: Buffer, text: string, at: number): number =>
  (bytes as unknown as QuickBuffer).utf8Write(text, at);
