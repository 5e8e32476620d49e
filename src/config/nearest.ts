// Which known word a misspelt one was probably meant to be.

/** The known word nearest to `word` by edit distance, when it is near enough to be worth showing. `workerCnt` finds `worker_cnt`. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const wanted = plain(word);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(wanted, plain(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Keys are long enough at 100 characters; a longer word is somebody's data, and the distance costs its square. */
function plain(word: string): string {
  return word.slice(0, 100).toLowerCase().replaceAll(/[_-]/g, '');
}

/** How many letters must be added, removed, changed or swapped with their neighbour to make `b` of `a`. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! + 1 : Infinity;
      row.push(Math.min(above[j]! + 1, row[j - 1]! + 1, change, swap));
    }
    [before, above] = [above, row];
  }
  return above[b.length]!;
}
