/** Every program that needs Node, in one bundle, because they share the AWS SDK: the first argument says which. */
const [, file = '', program, ...args] = process.argv;

switch (program) {
  case 'ssm-ssh': {
    const { main } = await import('./ssm-ssh.ts');
    process.exit(await main(args, file));
    break;
  }
  case 'ssm-ssh-agent': {
    const { main } = await import('./ssm-ssh-agent.ts');
    process.exit(await main(args, file));
    break;
  }
  case 'git-credential-ssm': {
    const { main } = await import('./git-credential-ssm.ts');
    process.exit(await main(args));
    break;
  }
  default:
    throw new TypeError(`there is no program ${program ?? ''}`);
}
