"""What drafting, signing and key care say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    # --- the signing ceremony
    "sign.phrase": (
        "Type the eight words of the digest phrase to sign (nothing to refuse)",
        "署名するには合言葉の 8 語を入力してください（空欄で中止）",
    ),
    "sign.refused": (
        "the digest phrase is not the one of this document; nothing was signed",
        "合言葉がこの文書のものではありません。署名していません",
    ),
    "sign.refused.remedy": (
        "compare the phrase with the other signers, over another channel",
        "他の署名者と、別の連絡手段で合言葉を照合してください",
    ),
    "sign.refused.dated": (
        "each call dates its text anew: give --dated {at} with the phrase just shown, or draft with --public and sign the draft with its phrase",
        "文書の日付は実行のたびに変わります。いま表示された合言葉とともに --dated {at} を指定するか、--public で起案してからその合言葉で署名してください",
    ),
    "sign.refused.draft": (
        "each call writes its text anew (this one of {at}): draft with --public, then sign the draft with its phrase",
        "文書は実行のたびに作り直されます（今回は {at} 付）。--public で起案してから、その起案の合言葉で署名してください",
    ),
    "draft.refused": (
        "As the log stands, {file} would be refused, and `sign` refuses it too: {why}",
        "現在のログでは {file} は拒まれ、`sign` も署名を拒みます：{why}",
    ),
    "sign.done": (
        "Signed with key {id}. Signatures in {file} now: {count}.",
        "鍵 {id} で署名しました。{file} の署名は {count} 個です。",
    ),
    "sign.again": (
        "Key {id} had signed already. Signatures in {file} as before: {count}.",
        "鍵 {id} はすでに署名済みです。{file} の署名は {count} 個のままです。",
    ),
    "sign.exported": (
        "Wrote the {size} bytes to be signed to {file} (SHA-256 {sha256}). Sign that file whole where the key is, then bring the signature in: sign {document} --import-signature SIG --public PUB",
        "署名すべき {size} バイトを {file} に保存しました（SHA-256 {sha256}）。鍵のある場所でこのファイル全体に署名し、署名を取り込んでください：sign {document} --import-signature SIG --public PUB",
    ),
    # --- disclosures
    "disclosure.revealed": (
        "{name} = {value}; the reveal is in {file}: whoever has it knows the field",
        "{name} = {value}。開示書は {file} にあります。持つ者は誰でもこの項目を知ります",
    ),
    "disclosure.limit.proof": (
        "the proof shows the entry, not by whose authority; --log checks that too",
        "証明が示すのは項目の存在だけで、権限は示しません（--log で確認できます）",
    ),
    "disclosure.limit.unopened": (
        "digests of this entry that nobody opened: {count}; one may bear the same name for another reader",
        "この項目の未開示の要約値：{count} 個。同じ名前の別の値が他の読者に示されうる",
    ),
    "disclosure.limit.erased": (
        "its operator stated that it was erased, on the basis {basis}",
        "運用者はこれを消去したと述べています（根拠：{basis}）",
    ),
    "disclosure.opened": (
        "Your share {number} is in {file}; any {threshold} of {holders} open the deposit. Keep it secret.",
        "あなたの分割片 {number} は {file} にあります。{holders} 人中 {threshold} 人で預託が開きます。秘密に保管してください。",
    ),
    "disclosure.combined": (
        "The deposit opens, and holds what the statement conceals ({count} field(s)):",
        "預託が開き、内容は言明の秘匿項目と一致します（{count} 項目）：",
    ),
    "disclosure.key.made": (
        "Deposit key in {file}; its public part is in {public_file}, for the charter:\n  {public}",
        "預託用の鍵は {file}、公開部分は {public_file} にあります（憲章に載せる値）：\n  {public}",
    ),
    "disclosure.key.tag": (
        "Tag key in {file}. Whoever has it can test guesses of every identifier.",
        "識別子用の鍵は {file} にあります。持つ者は識別子を推測で確かめられます。",
    ),
    "disclosure.erase.shown": (
        (
            "ERASE the concealed fields of {kind}, entry {index}\n  statement {digest}\n  basis     {basis} (public)\n"
            "  Salt and value are destroyed here; the figure is not measured from then on, never zero. Where it is\n"
            "  the amount of a lease, its licence grants no more leases. What lies in the log stays, sealed to the\n"
            "  holders of the deposit; so do copies that others were given. This cannot be undone.\n  phrase    {phrase}"
        ),
        (
            "{kind}（項目 {index}）の秘匿項目を消去します\n  言明 {digest}\n  根拠 {basis}（公開されます）\n"
            "  ここにあるソルトと値を破壊します。以後この数値は「未計測」で、零ではありません。リースの量であれば、\n"
            "  その許可では新しいリースを出せません。ログには預託保有者あてに封じた写しが残り、他者に渡した写しも\n"
            "  残ります。取り消せません。\n  合言葉 {phrase}"
        ),
    ),
    "disclosure.erase.phrase": (
        "Type the eight words of the phrase to erase (nothing to refuse)",
        "消去するには合言葉の 8 語を入力してください（空欄で中止）",
    ),
    "disclosure.erase.refused": (
        "the erasure was not confirmed; nothing was erased",
        "消去は確認されませんでした。何も消去していません",
    ),
    "disclosure.erase.remedy": (
        "type the phrase as it is shown; a script gives --yes-erase with the statement's full digest",
        "表示された合言葉を入力してください。スクリプトでは --yes-erase に言明の要約値を渡します",
    ),
    "disclosure.erased": (
        "Erased and stated in entry {index}: {digest} is not measured from now on.",
        "消去し、項目 {index} に記録しました：{digest} は以後「未計測」です。",
    ),
    # --- keys, orders, licences and charters as commands
    "key.passphrase": ("Passphrase of {file}", "{file} のパスフレーズ"),
    "key.pin": (
        "PIN of the token for {place} (tried once)",
        "{place} のトークンの PIN（試行は一度のみ）",
    ),
    "key.made.hsm": (
        "Made a key on its token: {place} (it never leaves it), public {public}",
        "トークン内に鍵を作成しました：{place}（外には出ません）、公開鍵 {public}",
    ),
    "key.passphrase.new": ("New passphrase", "新しいパスフレーズ"),
    "key.made": (
        "Made a key: private {file} (yours alone), public {public}",
        "鍵を作成しました：秘密鍵 {file}（本人専用）、公開鍵 {public}",
    ),
    "key.public": (
        "  key     {id}\n  phrase  {phrase}\n  public  {public}",
        "  鍵      {id}\n  合言葉  {phrase}\n  公開鍵  {public}",
    ),
    "order.drafted": (
        "Draft written to {file}; nobody has signed it.",
        "起案を {file} に保存しました。まだ署名はありません。",
    ),
    "order.issued": (
        "Issued: entry {index} of the log, leaf {leaf}.",
        "発出しました：ログの {index} 番、葉 {leaf}。",
    ),
    "order.issued.before": (
        "It was issued before: entry {index} of the log, leaf {leaf}.",
        "すでに発出済みです：ログの {index} 番、葉 {leaf}。",
    ),
    "order.none": ("No order was ever issued.", "命令はまだ一つも発出されていません。"),
    "order.none-in-force": ("No order is in force.", "効力のある命令はありません。"),
    "order.no-hosts": ("no enrolled host is covered", "対象となる登録済みのホストはありません"),
    "order.line.in_force": (
        "{register} {number}: {effect}, for {scope}; IN FORCE until {until} ({digest})",
        "{register} 第 {number} 号：{effect}、対象は{scope}、施行中、期限 {until}（{digest}）",
    ),
    "order.line.over": (
        "{register} {number}: {effect}, for {scope}; restrains nothing now, expiry {until} ({digest})",
        "{register} 第 {number} 号：{effect}、対象は{scope}、現在は制限なし、期限 {until}（{digest}）",
    ),
    "order.host": ("  {host}: {degree}; {stages}", "  {host}：{degree}、{stages}"),
    "order.silent": ("nothing was heard", "応答なし"),
    "order.degree.non-responsive": ("NON-RESPONSIVE", "応答なし"),
    "order.degree.claimed": (
        "halted: claimed (the agent's word)",
        "停止：主張のみ（エージェントの申告）",
    ),
    "order.degree.contradicted": ("CONTRADICTED: an observer saw work", "矛盾：観察者が稼働を確認"),
    "order.degree.corroborated": ("halted: corroborated", "停止：裏付けあり"),
    "order.degree.verified": ("halted: verified", "停止：検証済み"),
    "order.degree.None": ("resumed", "再開済み"),
    "order.lapses": (
        "      this verdict lapses in {length}, at {at}",
        "      この判定は {length}後（{at}）に失効します",
    ),
    "order.lapsed": (
        "      the last verdict lapsed {length} ago, at {at}",
        "      最後の判定は {length}前（{at}）に失効しました",
    ),
    # --- keys and charters as commands
    "key.drill.row": (
        "{state}  {id}  {constituency}: {organisation}, {holder}; last proved {last}",
        "{state}  {id}  {constituency}：{organisation}、{holder}、前回の確認 {last}",
    ),
    "key.drill.proved": ("proved   ", "確認済み"),
    "key.drill.doubtful": ("DOUBTFUL ", "疑わしい"),
    "key.drill.lost": ("LOST     ", "喪失　　"),
    "key.drill.new": ("not due  ", "期限前　"),
    "key.drill.never": ("never", "なし"),
    "key.drill.sum": (
        "{doubtful} of {count} keys are doubtful: not proved within {length}.",
        "{count} 本のうち {doubtful} 本が疑わしい鍵です（{length}以内の確認なし）。",
    ),
    "sign.fresh": (
        "Signed with key {id} and written to {file}.",
        "鍵 {id} で署名し、{file} に保存しました。",
    ),
    "charter.recover.undated": (
        "no witnessed checkpoint that a later entry quotes dates the announcement yet, so its notice has not begun; wait for the log's next entries",
        "告知の日時を示す立会い済みチェックポイントを引用する記載がまだなく、予告期間は始まっていません。ログの次の記載を待ってください",
    ),
    "charter.recover.wait": (
        "the notice is not over in witnessed checkpoints: it ends {at} at the earliest",
        "立会い済みチェックポイントで予告期間がまだ終わっていません。終わるのは早くても {at} です",
    ),
    # --- the charter's drill
    "charter.drill.step.found": (
        "Found a regime by quorum: draft, compare the phrase, sign, adopt",
        "定足数で体制を創設する：起案、合言葉の照合、署名、採択",
    ),
    "charter.drill.step.prove": (
        "Prove keys; whose key nobody proves becomes doubtful",
        "鍵を確認する：確認されない鍵は疑わしくなる",
    ),
    "charter.drill.step.amend": (
        "Amend: the old quorum and the new one",
        "改正する：旧版と新版、両方の定足数",
    ),
    "charter.drill.step.lose": (
        "Lose a key: what rests on it is in doubt, and a full quorum confirms it",
        "鍵を失う：その鍵に基づくものは疑わしくなり、定足数全体が確認する",
    ),
    "charter.drill.step.succeed": ("Put a new key in its place", "新しい鍵に差し替える"),
    "charter.drill.step.veto": (
        "A recovery that nobody needs: another constituency says no",
        "不要な復旧：別の構成団体が拒否する",
    ),
    "charter.drill.step.recover": (
        "Lose three of five: recovery keys, 14 simulated days, new keys",
        "五本のうち三本を失う：復旧鍵、模擬の 14 日、新しい鍵",
    ),
    "charter.drill.step.check": (
        "A stranger reads it all from the files, under the trust root alone",
        "第三者が、信頼の起点だけを頼りに、ファイルから全体を読む",
    ),
    "charter.drill.phrase": ("{kind}: {phrase}", "{kind}：{phrase}"),
    "charter.drill.signed": ("signed by {names}", "署名：{names}"),
    "charter.drill.entered": (
        "entry {index} of the log, witnessed",
        "ログの {index} 番に記載、立会い済み",
    ),
    "charter.drill.root": ("trust root, by hand: {charter}", "信頼の起点（手作業）：{charter}"),
    "charter.drill.refused": (
        "refused as it must be: {what} ({code})",
        "想定どおり拒否：{what}（{code}）",
    ),
    "charter.drill.early": ("adopting with two signatures", "二つの署名での採択"),
    "charter.drill.old-quorum": ("an amendment without the old quorum", "旧版の定足数を欠く改正"),
    "charter.drill.lost-key": ("a signature by the lost key", "失われた鍵での署名"),
    "charter.drill.vetoed": ("carrying out a vetoed recovery", "拒否された復旧の実行"),
    "charter.drill.too-early": ("recovering after 13 days", "13 日での復旧"),
    "charter.drill.old-member": ("a signature by a replaced key", "差し替えられた鍵での署名"),
    "charter.drill.doubtful": (
        "{count} of {all} keys are doubtful",
        "{all} 本のうち {count} 本が疑わしい",
    ),
    "charter.drill.doubt": (
        "in doubt without it: {name} ({kind}), lapses {ends}",
        "この鍵なしでは疑わしい：{name}（{kind}）、失効 {ends}",
    ),
    "charter.drill.powers": (
        "without {names} nobody can use: {powers}",
        "{names} なしでは誰も使えない権限：{powers}",
    ),
    "charter.drill.change": ("{what}: {before} → {after}", "{what}：{before} → {after}"),
    "charter.drill.drafted": (
        "version {version} drafted ({digest})",
        "第 {version} 版を起案（{digest}）",
    ),
    "charter.drill.read": (
        "{size} entries verified; version {version} is in force",
        "{size} 件を検証：第 {version} 版が施行中",
    ),
    "charter.drill.gone": ("removed", "削除済み"),
    "charter.drill.holds": (
        "The charter's drill holds: every step did what was announced. It was a DRILL: the log {origin}, its keys and its regime are of no force.\nHome: {home}",
        "憲章の予行は成立：すべての段階が予告どおりに進みました。これは予行です：ログ {origin}、その鍵と体制に効力はありません。\nホーム：{home}",
    ),
    "charter.drill.fails": (
        "The charter's drill FAILS: the last step above says why. It was a DRILL: the log {origin} is of no force.\nHome: {home}",
        "憲章の予行は不成立：理由は上の最後の段階にあります。これは予行です：ログ {origin} に効力はありません。\nホーム：{home}",
    ),
    "charter.init.guide": (
        "A founding needs: a public key file of every holder (sekisho key new, then the .pub), the log's verifier key and each witness's (sekisho key show F.pub --vkey NAME, with --cosigner for a witness), and a new file for the draft. Recovery keys lie offline; without them nobody can replace lost keys. Examples, with as few keys as each profile's quorums allow; more are better, since a lost key then stops nothing:",
        "創設に必要なもの：各保持者の公開鍵ファイル（sekisho key new で作る .pub）、ログと各立会人の検証鍵（sekisho key show F.pub --vkey 名前、立会人は --cosigner も）、起案の新しいファイル。復旧鍵はオフラインに置きます。なければ失った鍵を誰も差し替えられません。以下は各類型の定足数が許す最少の例です。鍵が多いほど、一本を失っても止まりません：",
    ),
    "charter.init.internal": (
        "internal: one company's own pause; who watches stops alone, and resumes with management ({groups})",
        "internal：一社内の停止。監視役だけで止め、再開は経営と共に行う（{groups}）",
    ),
    "charter.init.provider": (
        "provider: a compute provider; auditors whom its customers trust release and amend with it ({groups})",
        "provider：計算資源の提供者。顧客が信頼する監査人と共に再開・改正する（{groups}）",
    ),
    "charter.init.authority": (
        "authority: a national authority with independent verifiers ({groups})",
        "authority：国の当局と独立の検証者（{groups}）",
    ),
    "charter.init.international": (
        "international: several states, a secretariat, verifiers ({groups})",
        "international：複数の国、事務局、検証者（{groups}）",
    ),
    "charter.quorate": (
        "The quorum of version {version} has signed.",
        "第 {version} 版の定足数の署名がそろいました。",
    ),
    "charter.root": (
        "Its trust root, to be installed by hand after comparing {charter} by word of mouth:",
        "信頼の起点。{charter} を口頭で照合したうえで、手作業で導入してください：",
    ),
}
