/** Whether a name fits a pattern, in which `*` stands for any characters, also none. Pure. */
export function matcher(pattern: string): (name: string) => boolean {
  if (!pattern.includes('*')) return (name) => name === pattern;
  const [first = '', ...more] = pattern.split('*');
  const last = more.pop() ?? '';
  return (name) => {
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last))
      return false;
    // Each part at its first place: no pattern takes longer than its parts times the name.
    let at = first.length;
    for (const part of more) {
      const found = name.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return at <= name.length - last.length;
  };
}
