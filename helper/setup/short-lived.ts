/** Folders that the next upgrade of Node or of the package removes: what setup writes must not lead there. Pure. */

/** @source each tool's documentation of where it installs; the names are those that people know */
const folders: readonly (readonly [folder: RegExp, owner: string])[] = [
  [/\/_npx\//, 'the cache of npx'],
  [/\/\.pnpm\/|\/pnpm\/(?:global|nodejs)\/|\/pnpm\/store\//, "pnpm's store"],
  [/\/\.?nvm\/versions\/node\//, 'nvm'],
  [/\/\.?nvm\/v\d[^/]*\//, 'nvm.fish'],
  [/\/\.?fnm\/node-versions\/|\/fnm_multishells\//, 'fnm'],
  [/\/\.?nvs\/(?:node|default)\//, 'nvs'],
  [/\/\.?volta\/tools\/image\//, 'Volta'],
  [/\/\.?asdf\/installs\//, 'asdf'],
  [/\/(?:mise|rtx)\/installs\//, 'mise'],
  [/\/\.?proto\/tools\//, 'proto'],
  [/\/\.?nodenv\/versions\//, 'nodenv'],
  [/\/\.?nodebrew\/(?:node|current)\//, 'nodebrew'],
  [/\/n\/versions\/node\//, 'n'],
  [/\/hostedtoolcache\/|\/_work\/_tool\//, "a runner's tool cache"],
  [/\/nix\/store\//, 'Nix'],
  [/\/Cellar\/[^/]+\/[^/]+\//, 'Homebrew'],
];

/** @returns whose folder for one version the path is in; undefined where it is in none */
export function shortLivedIn(path: string): string | undefined {
  return folders.find(([folder]) => folder.test(path))?.[1];
}

/**
 * @param installation the folder of the package
 * @param node the Node that setup writes down
 * @returns what to warn of; undefined where upgrades remove neither
 */
export function shortLivedWarning(installation: string, node: string): string | undefined {
  const owner = shortLivedIn(`${installation}/`);
  if (owner !== undefined) {
    return (
      `ssm-ssh-agent is in a folder of ${owner} that an upgrade removes: ${installation}\n` +
      'hint: install it elsewhere (npm install --global --prefix "$HOME/.local" FILE.tgz) and run setup from there; ' +
      'or run setup again after each upgrade'
    );
  }
  const ownerOfNode = shortLivedIn(node);
  if (ownerOfNode === undefined) return undefined;
  return (
    `Node is in a folder of ${ownerOfNode} that an upgrade removes: ${node}\n` +
    'hint: services that do not have node on PATH need another one: run setup again after each upgrade of Node'
  );
}
