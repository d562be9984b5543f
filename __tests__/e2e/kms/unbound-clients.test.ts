/**
 * Clients that bind no session and do not name the host, with SSH_AUTH_SOCK alone: Go's golang.org/x/crypto/ssh and paramiko.
 * The provider of BuildKit, which `docker build --ssh` uses, asks the agent by the same package of Go.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { startLoginHost, type LoginHost } from '../../support/login-host.ts';
import { describeWith, goPath, systemPython } from '../../support/needs.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { openEc2Host, type Ec2Host, type Ended } from '../ec2-host.ts';
import { kmsCalls, makeKmsKey, maySign } from './kms-keys.ts';

const goSource = `package main

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	connection, err := net.Dial("unix", os.Getenv("SSH_AUTH_SOCK"))
	must(err)
	client, err := ssh.Dial("tcp", "127.0.0.1:"+os.Args[1], &ssh.ClientConfig{
		User:            os.Args[2],
		Auth:            []ssh.AuthMethod{ssh.PublicKeysCallback(agent.NewClient(connection).Signers)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	must(err)
	session, err := client.NewSession()
	must(err)
	output, err := session.Output("echo let in")
	must(err)
	fmt.Print(string(output))
}
`;
const pythonSource = `import sys, paramiko
client = paramiko.SSHClient()
client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
client.connect("127.0.0.1", port=int(sys.argv[1]), username=sys.argv[2], look_for_keys=False)
print(client.exec_command("echo let in")[1].read().decode(), end="")
client.close()
`;

const specs = { ed25519: 'ECC_NIST_EDWARDS25519', p256: 'ECC_NIST_P256', rsa: 'RSA_2048' } as const;
const names = Object.keys(specs) as (keyof typeof specs)[];

describeWith(
  'sshd',
  'go',
  'golang.org/x/crypto',
  'paramiko',
)('a client that binds no session', () => {
  let machine: Ec2Host;
  let host: LoginHost;
  let folder: string;

  beforeAll(async () => {
    machine = await openEc2Host([maySign]);
    const keys = names.map((name) => makeKmsKey(machine.world, name, specs[name]).publicKey);
    host = await startLoginHost(keys.join('\n'));
    writeFileSync(join(machine.folder, 'known_hosts'), host.knownHosts);
    folder = mkdtempSync(join(tmpdir(), 'clients-'));
    writeFileSync(join(folder, 'login.go'), goSource);
    writeFileSync(join(folder, 'login.py'), pythonSource);
    const { stderr, status } = spawnSync('go', ['build', '-o', 'login', 'login.go'], {
      ...{ cwd: folder, encoding: 'utf8' },
      env: {
        ...process.env,
        GO111MODULE: 'off',
        GOPATH: goPath,
        GOCACHE: join(folder, 'cache'),
        GOFLAGS: '',
      },
    });
    if (status !== 0) throw new Error(stderr);
  });
  afterAll(async () => {
    await Promise.all([machine.close(), host.stop()]);
    rmSync(folder, { recursive: true });
  });

  const programs = {
    'Go’s ssh package': () => [join(folder, 'login')],
    paramiko: () => [systemPython, join(folder, 'login.py')],
  } as const;

  const login = async (program: keyof typeof programs, name: string, option: string): Promise<Ended> => {
    machine.world.aws.forgetCalls();
    const line = `kms:alias/${name} ${option} 127.0.0.1:${String(host.port)}`;
    const client = [...programs[program](), String(host.port), host.user];
    return await machine.agent(['exec', '--known-hosts', 'known_hosts', '--key', line, '--', ...client]);
  };

  it.each(
    (Object.keys(programs) as (keyof typeof programs)[]).flatMap((program) =>
      names.map((name) => [program, name] as const),
    ),
  )('%s, logs in by a key of type %s with unbound=allow, and is refused without', async (program, name) => {
    const { stdout, stderr, exitCode } = await login(program, name, 'unbound=allow');
    expect([stdout, stderr, exitCode]).toEqual(['let in\n', '', 0]);
    expect(kmsCalls(machine.world)).toEqual(['kms:GetPublicKey', 'kms:Sign']);
    const refused = await login(program, name, 'unbound=refuse');
    expect([refused.stdout, refused.exitCode]).toEqual(['', 1]);
    expect(kmsCalls(machine.world)).toEqual(['kms:GetPublicKey']);
  });
});
