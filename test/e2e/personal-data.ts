/**
 * Every piece of personal data in the bundled inquiries, as a person found and copied it: none of
 * it may be stored. It is independent of the code that masks.
 */
export const personalData: readonly string[] = [
  // E-mail addresses.
  "caiwu@qingluo.example.com",
  "caiwu02@qingluo.example.com",
  "office@larkhillguests.example.org",
  "petra.v@harbourmail.example.org",
  "m.ferrow@example.net",
  "old.harbour.bob@example.com",
  "zhoumo_2@post.example.cn",
  "xiaogu＠manzhu.example.com",
  "lanlan_88@mail.example.com",
  "tilda@kettleandwire.example.com",
  "accounts@thornburyoakes.example.com",
  "hollis.vane@example.org",
  "minsu.yunxi@stay.example.cn",
  "wuye@lvyuan.example.com",
  // Payment cards.
  "4111 1111 1111 1111",
  "6222021234567894",
  "６２２２－０２００－００００－０００７",
  "4242-4242-4242-4242",
  "5555-5555-5555-4444",
  "5105105105105100",
  "6200 0000 0000 0005",
  "378282246310005",
  "3566 0020 2036 0505",
  "6011 1111 1111 1117",
  // Resident identity numbers.
  "990101199003070023",
  "990501197611032517",
  "990228198508124139",
  // Phone numbers.
  "07700 900461",
  "138 0000 4521",
  "312.555.0176",
  "(415) 555-0132",
  "(617) 555-0119",
  "177 0000 3141",
  "212-555-0187",
  "646-555-0143",
  "１３９００００６６１２",
  "15900007788",
  "0086 13700002233",
  "13200009876",
  "+86 15800002468",
  "503-555-0164",
  "+64 21 555 0142",
  "+44 7700 900812",
  "0571-88880123",
  "19100002020",
  "+44 20 7946 0958",
  "(010) 5555 0199",
  "020 7946 0321",
  "１８６－００００－７３５１",
  "18800005566",
  "13600001234",
  "+86 199-0000-5678",
  "18900004433",
  "+1 929 555 0108",
  "13500009012",
  "1-800-555-0199",
];

/** The same for every way of writing it: half-width, without what separates digits. */
export function plain(text: string): string {
  return text.normalize("NFKC").replaceAll(/(?<=[\d)])[\s().+-]+(?=[\d(])/g, "");
}
