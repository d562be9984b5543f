/**
 * The modules of examples/terraform, evaluated by Terraform itself. Without the AWS provider it cannot read main.tf, so
 * what main.tf takes from AWS stands in a file of the test.
 */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ACCOUNT, REGION } from './aws/world.ts';
import { KEY_ARN } from './cloudformation.ts';

export const moduleFolder = join(dirname(dirname(import.meta.dirname)), 'examples/terraform');

const quiet = { CHECKPOINT_DISABLE: '1', TF_CLI_CONFIG_FILE: '/dev/null', TF_IN_AUTOMATION: '1' };

function terraform(args: readonly string[], cwd: string, input = ''): SpawnSyncReturns<string> {
  return spawnSync('terraform', args, { cwd, input, encoding: 'utf8', env: { ...process.env, ...quiet } });
}

/** Debian and npm don't have it. */
export const hasTerraform = terraform(['version'], tmpdir()).status === 0;
export const terraformMissing = 'terraform is missing: its package is not in Debian (hashicorp.com has it)';

/** Files that are not formatted. */
export const unformatted = (): string =>
  terraform(['fmt', '-check', '-recursive', '-no-color'], moduleFolder).stdout;

/** Terraform's own check of a whole module; undefined without the AWS provider. */
export function validate(name: string): string | undefined {
  const folder = join(moduleFolder, name);
  return existsSync(join(folder, '.terraform'))
    ? terraform(['validate', '-no-color'], folder).stderr
    : undefined;
}

export type Variables = Readonly<Record<string, string | boolean | readonly string[]>>;

const hereIn = (partition: string): string => `locals {
  partition  = "${partition}"
  dns_suffix = "amazonaws.com"
  region     = "${REGION}"
  account    = "${ACCOUNT}"
  key_arn    = "${KEY_ARN}"
}
`;

export interface Copy {
  readonly name: string;
  readonly variables: Variables;
  readonly partition?: string;
}

function inCopy<T>({ name, variables, partition = 'aws' }: Copy, use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'terraform-'));
  try {
    for (const file of ['variables.tf', 'policies.tf'])
      if (existsSync(join(moduleFolder, name, file)))
        copyFileSync(join(moduleFolder, name, file), join(folder, file));
    writeFileSync(join(folder, 'here.tf'), hereIn(partition));
    writeFileSync(join(folder, 'terraform.tfvars.json'), JSON.stringify(variables));
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The values of the module's locals and variables: `local.trust_policy`. */
export function evaluate(copy: Copy, wanted: readonly string[]): unknown[] {
  const { stdout, stderr, status } = inCopy(copy, (folder) =>
    terraform(['console'], folder, `jsonencode([${wanted.join()}])\n`),
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(JSON.parse(stdout) as string) as unknown[];
}

/** What Terraform says about these variables; empty if it takes them. */
export const refusalOf = (name: string, variables: Variables): string =>
  inCopy({ name, variables }, (folder) => terraform(['plan', '-no-color', '-input=false'], folder).stderr);
