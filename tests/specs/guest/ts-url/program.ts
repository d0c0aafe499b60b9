const u = new URL("../x y?q=1&q=2#top", "https://user:pw@Example.COM:443/a/b/c");
u.searchParams.append("é", "&");
const p = new URLSearchParams({ a: "1 2", b: "ü" });
[u.href, u.host, u.pathname, u.searchParams.getAll("q"), u.origin, p.toString(), [...new URLSearchParams("?x=%20&y=a+b")], URL.canParse("nope")];
