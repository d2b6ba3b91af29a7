/**
 * Words that occur in any message, whatever it is about.
 *
 * Product names that nearly every message mentions stay in: the index knows by their frequency how
 * little they say.
 */

const english = `
  a about after again all also am an and another any anyone anything are aren't arent as ask
  asked at away back be because been before being best both but by came can can't cannot cant
  come could couldn't day days did didn't do does doesn't doesnt doing don't dont done down each
  either else even ever every everything few fine first for from get gets getting give go goes
  going gone good got great had has have having he hello help her here hey hi him his how i'd
  i'll i'm i've if im in into is isn't isnt it it's its just keep keeps kind know last later let
  like little long look lot made make makes many may maybe me mean might mine more most much
  must my near need never next no nobody none not nothing now of off ok okay on once one ones
  only or other our out over own people please pls possible put quite rather really right said
  same saw say says see seem seems she should since so some somebody someone something still
  such sure take tell than thank thanks that that's the their them then there these they they're
  thing things think this those though three through till time to today together tomorrow too
  took tried try trying two under until up us use used using very via want wants was wasn't way
  we we're well went were what what's when where where's which while who why will with without
  won't work works would yes yesterday yet you you're your yours`;

const chinese = `
  一个 一下 一直 一点 一样 不是 不能 不要 什么 么时 时候 今天 昨天 明天 你们 我们 他们 咱们 的时 可以 以吗
  可不 还是 还没 没有 有没 有人 现在 怎么 么办 怎么办 为什么 为什 就是 是不 不行 行不 请问 麻烦 谢谢 帮我
  我的 你的 了吗 的吗 是吗 能不 这个 那个 这样 那样 已经 经过 然后 所以 因为 但是 如果 或者 而且 的话 知道
  觉得 需要 应该 这么 那么 多少 几个 两个 我想 想要 要的 是我 我是 我在 在吗 的是 都是 不会 会不 有点 有什
  哪里 哪个 你好 您好`;

/** Terms that are never compared. */
export const stopWords: ReadonlySet<string> = new Set(
  `${english} ${chinese}`
    .trim()
    .split(/\s+/)
    .flatMap((word) => [word, word.replaceAll("'", "")]),
);
