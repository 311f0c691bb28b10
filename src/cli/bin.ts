#!/usr/bin/env node
// Only syntax that old Nodes understand, and no import before the check: the reason must be readable there too.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 21)) {
  process.stderr.write(
    `longshore needs Node 24.21 or newer, this is ${process.version}. Inside a project, "npm install node@24" brings its own.\n`,
  );
  process.exit(2);
}
const { main } = await import('./main.ts');
await main(process.argv.slice(2));
