// An image of ZooKeeper for tests with the interface of the official one, made of Debian packages of this machine: no registry is asked.

import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { provide } from '../../../scripts/support/debian.ts';
import { builtImage, type BuiltImage } from './build-image.ts';
import { noCluster } from './needs.ts';
import { attempt, run } from './run.ts';

const JARS = '/usr/share/java';
const JAR = `${JARS}/zookeeper.jar`;
/** Writes what the server logs to its standard error; without one there is no log. */
const LOG_JAR = `${JARS}/slf4j-simple.jar`;
/** The user of the official image, and its folders that this user writes to. */
const USER = 1000;
const FOLDERS = ['conf', 'data', 'datalog', 'logs'];
/** Of the Java runtime: sources, and what only compilers read. */
const LEFT_OUT = ['src.zip', 'ct.sym', 'jmods', 'classes_nocoops.jsa'];
/** Raise it when something else changes here than what is written into files below. */
const VERSION = 1;

/** As the official image has it: a configuration and a number from the environment, where they are not there yet. */
const ENTRYPOINT = `#!/usr/bin/env bash
set -e
if [[ ! -f "$ZOO_CONF_DIR/zoo.cfg" ]]; then
  {
    echo "dataDir=$ZOO_DATA_DIR"
    echo "dataLogDir=$ZOO_DATA_LOG_DIR"
    echo "clientPort=2181"
    echo "tickTime=$ZOO_TICK_TIME"
    echo "initLimit=$ZOO_INIT_LIMIT"
    echo "syncLimit=$ZOO_SYNC_LIMIT"
    echo "autopurge.snapRetainCount=$ZOO_AUTOPURGE_SNAPRETAINCOUNT"
    echo "autopurge.purgeInterval=$ZOO_AUTOPURGE_PURGEINTERVAL"
    echo "maxClientCnxns=$ZOO_MAX_CLIENT_CNXNS"
    echo "standaloneEnabled=$ZOO_STANDALONE_ENABLED"
    echo "admin.enableServer=$ZOO_ADMINSERVER_ENABLED"
    [[ -z $ZOO_4LW_COMMANDS_WHITELIST ]] || echo "4lw.commands.whitelist=$ZOO_4LW_COMMANDS_WHITELIST"
    for entry in $ZOO_CFG_EXTRA $ZOO_SERVERS; do echo "$entry" | sed 's/;2181$//'; done
  } >"$ZOO_CONF_DIR/zoo.cfg"
fi
if [[ ! -f "$ZOO_DATA_DIR/myid" ]]; then echo "\${ZOO_MY_ID:-1}" >"$ZOO_DATA_DIR/myid"; fi
exec "$@"
`;

/** Of the official script only what runs a server in the foreground, with the same variables. */
const SERVER = `#!/usr/bin/env bash
if [[ $1 != start-foreground ]]; then echo "usage: zkServer.sh start-foreground [FILE]" >&2; exit 1; fi
mkdir -p "$ZOO_LOG_DIR" || exit 1
exec java -Xmx"\${ZK_SERVER_HEAP:-1000}"m $SERVER_JVMFLAGS $JVMFLAGS \\
  -cp "/zookeeper/*" org.apache.zookeeper.server.quorum.QuorumPeerMain "\${2:-$ZOO_CONF_DIR/zoo.cfg}"
`;

const ENV = {
  PATH: '/zookeeper/bin:/java/bin:/bin:/usr/bin',
  ZOO_CONF_DIR: '/conf',
  ZOO_DATA_DIR: '/data',
  ZOO_DATA_LOG_DIR: '/datalog',
  ZOO_LOG_DIR: '/logs',
  ZOO_TICK_TIME: '2000',
  ZOO_INIT_LIMIT: '5',
  ZOO_SYNC_LIMIT: '2',
  ZOO_AUTOPURGE_PURGEINTERVAL: '0',
  ZOO_AUTOPURGE_SNAPRETAINCOUNT: '3',
  ZOO_MAX_CLIENT_CNXNS: '60',
  ZOO_STANDALONE_ENABLED: 'true',
  ZOO_ADMINSERVER_ENABLED: 'true',
  // quick to start on machines with few processors, instead of quick after an hour
  JVMFLAGS: '-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Dorg.slf4j.simpleLogger.defaultLogLevel=info',
};

const DOCKERFILE = `FROM scratch
COPY files/ /
COPY --chown=${USER}:${USER} owned/ /
ENV ${Object.entries(ENV)
  .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  .join(' ')}
EXPOSE 2181 2888 3888 8080
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["zkServer.sh", "start-foreground"]
`;

/** Why tests with ZooKeeper in pods can not run here, or false: for the option `skip` of a test. */
export const noZookeeperImage: string | false = noCluster === false ? whyNoBuild() : noCluster;

let made: Promise<BuiltImage> | undefined;

/** Builds the image unless the cache has it. Throws with the end of what the build wrote. */
export function zookeeperImage(): Promise<BuiltImage> {
  made ??= make();
  return made;
}

async function make(): Promise<BuiltImage> {
  const java = dirname(dirname(realpathSync(onPath('java'))));
  const jars = await jarsOf(JAR);
  const { stderr: version } = await attempt('java', ['-version']);
  const parts = [VERSION, ENTRYPOINT, SERVER, DOCKERFILE, java, version, ...jars.map((jar) => readFileSync(jar, 'base64'))];
  const tag = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
  return builtImage('kim-zookeeper', tag, async (buildah, work, image) => {
    await writeFiles(join(work, 'files'), java, jars);
    for (const folder of FOLDERS) mkdirSync(join(work, 'owned', folder), { recursive: true });
    writeFileSync(join(work, 'Dockerfile'), DOCKERFILE);
    await buildah('bud', '--isolation', 'chroot', '--tag', image, work);
  });
}

async function writeFiles(files: string, java: string, jars: readonly string[]): Promise<void> {
  const place = (path: string): string => {
    const file = join(files, path);
    mkdirSync(dirname(file), { recursive: true });
    return file;
  };
  const script = (path: string, text: string) => {
    writeFileSync(place(path), text);
    chmodSync(place(path), 0o755);
  };
  // links of a Debian runtime lead to /etc
  const filter = (path: string) => existsSync(path) && !LEFT_OUT.includes(basename(path));
  for (const folder of ['lib', 'conf'])
    cpSync(join(java, folder), place(`/java/${folder}`), { recursive: true, dereference: true, filter });
  copyFileSync(join(java, 'bin/java'), place('/java/bin/java'));
  copyFileSync('/bin/busybox', place('/bin/busybox'));
  for (const applet of (await run('/bin/busybox', ['--list'])).trim().split('\n')) {
    if (!['busybox', 'bash'].includes(applet)) symlinkSync('busybox', place(`/bin/${applet}`));
  }
  symlinkSync('/bin/env', place('/usr/bin/env'));
  copyFileSync('/bin/bash', place('/bin/bash'));
  const programs = [
    '/bin/bash',
    join(java, 'bin/java'),
    ...['server/libjvm.so', 'libnet.so', 'libnio.so', 'libzip.so'].map((name) => join(java, 'lib', name)),
  ];
  for (const library of await librariesOf(programs)) if (!library.startsWith(java)) copyFileSync(realpathSync(library), place(library));
  for (const jar of jars) copyFileSync(realpathSync(jar), place(`/zookeeper/${basename(jar)}`));
  script('/zookeeper/bin/zkServer.sh', SERVER);
  script('/docker-entrypoint.sh', ENTRYPOINT);
  writeFileSync(place('/etc/passwd'), `root:x:0:0:root:/:\nzookeeper:x:${USER}:${USER}:zookeeper:/:\n`);
  mkdirSync(place('/tmp'));
  chmodSync(place('/tmp'), 0o1777);
}

/** Shared libraries that programs ask for, as the loader finds them. */
async function librariesOf(programs: readonly string[]): Promise<string[]> {
  const found = await run('ldd', programs);
  return [...new Set([...found.matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file!))];
}

/** A jar and those that its manifest names, as far as they are there: the rest is for parts that are not used. */
async function jarsOf(jar: string): Promise<string[]> {
  const manifest = await run('unzip', ['-p', jar, 'META-INF/MANIFEST.MF']);
  const [, path = ''] = /^Class-Path: (.*(?:\r?\n .*)*)/m.exec(manifest) ?? [];
  const named = path
    .replace(/\r?\n /g, '')
    .trim()
    .split(/\s+/);
  return [...new Set([jar, LOG_JAR, ...named])].filter((file) => existsSync(file));
}

function onPath(program: string): string {
  const file = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path));
  if (file === undefined) throw new Error(`${program} is not on the PATH; install it to build the image of ZooKeeper`);
  return file;
}

function whyNoBuild(): string | false {
  const files = ['java', JAR, LOG_JAR, 'buildah', '/bin/busybox', 'unzip'];
  const packages = ['zookeeper', 'default-jre-headless', 'libslf4j-java', 'buildah', 'busybox-static', 'unzip'];
  return provide({ files, packages }) ?? false;
}
