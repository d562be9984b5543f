/** A client in a separate process that reads /ci/key, with only the given environment. */
import { spawn } from 'node:child_process';

const PROGRAM = `
  import { SSMClient, GetParameterCommand } from '@aws-sdk/client-ssm';
  const client = new SSMClient({ region: 'eu-west-1', maxAttempts: 1 });
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: '/ci/key', WithDecryption: true }));
    console.log(JSON.stringify({ value: Parameter.Value }));
  } catch (error) {
    console.log(JSON.stringify({ name: error.name, message: error.message, code: error.code }));
  }
`;

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

export function runClient(environment: Readonly<Record<string, string>>): Promise<Ended> {
  return runNode(['--input-type=module', '--eval', PROGRAM], environment);
}

export async function runNode(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { stdout, stderr, code };
}
