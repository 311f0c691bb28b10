import type { Effort } from './effort.ts';
import type { Line } from './figures.ts';
export async function extra(_: Effort): Promise<Line[]> {
  return [];
}
