// After the last file: stops the cluster that the tests have started, unless somebody wants to look around.
const { execFileSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { join } = require('node:path');

module.exports = () => {
  const home = process.env.CLUSTER_HOME || '/var/lib/longshore-cluster';
  if (process.env.KEEP_CLUSTER === '1' || !existsSync(join(home, 'run', 'started-by-tests')))
    return;
  execFileSync(join(__dirname, '..', 'cluster'), ['down'], { stdio: 'inherit' });
};
