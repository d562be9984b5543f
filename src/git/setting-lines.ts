/** Finds the lines of a setting in the text of a file of git's configuration (git-config(1), "Syntax"). Pure. */

const header = /^\s*\[\s*([A-Za-z0-9-]+)(?:\.([A-Za-z0-9.-]+))?(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/;
const variable = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*(?:=|$|[#;])/;

/**
 * @param name in git's form: section and variable in lower case, the subsection as written
 * @returns line numbers from 1, in the order of the file
 */
export function linesOfSetting(text: string, name: string): number[] {
  let section = '';
  let isContinued = false;
  return text.split('\n').flatMap((line, index) => {
    const wasContinued = isContinued;
    const rest = wasContinued ? line : line.replace(header, '');
    const [head, first = '', dotted, quoted] = (!wasContinued && header.exec(line)) || [];
    if (head !== undefined) section = sectionName(first, dotted, quoted);
    isContinued = endsInBackslash(line);
    const [, written] = (!wasContinued && variable.exec(rest)) || [];
    return written !== undefined && `${section}.${written.toLowerCase()}` === name ? [index + 1] : [];
  });
}

/** `[section.sub]` is an older form, whose subsection is in lower case. */
function sectionName(first: string, dotted: string | undefined, quoted: string | undefined): string {
  const section = first.toLowerCase();
  if (quoted !== undefined) return `${section}.${quoted.replace(/\\(.)/g, '$1')}`;
  return dotted === undefined ? section : `${section}.${dotted.toLowerCase()}`;
}

/** The value continues on the next line. A backslash in a comment does not count. */
function endsInBackslash(line: string): boolean {
  const [backslashes = ''] = /\\*$/.exec(line.replace(/\r$/, '')) ?? [];
  return backslashes.length % 2 === 1 && !/^\s*[#;]/.test(line);
}
