/** The names of the options for keys that our agent signs with. Apart from their parser, which is larger. Pure. */

/** The options that need `ca=`. */
export const certificateNames = [
  ...(['principals', 'valid', 'extensions', 'source-address', 'force-command'] as const),
];

export const ruleNames = ['unbound', 'forwarding', 'uses'] as const;

/** All options that parseSigningOptions reads. */
export const signingNames: readonly string[] = ['ca', ...certificateNames, ...ruleNames];
