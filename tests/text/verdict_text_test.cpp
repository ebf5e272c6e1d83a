#include "os/text/verdict_text.h"

#include <string>

#include "os/text/policy_text.h"
#include "os/text/text_values.h"

namespace statefs {
namespace {

const std::string shared_a = "2f73746174652f7368617265642f61";  // /state/shared/a

std::string verdicts(const std::string& text) {
  const Result<std::string, TextError> out = verdicts_of_text(rules_for(PolicyText{}, std::nullopt), text);
  return out.ok() ? out.value() : line_of(out.error(), "batch");
}

TEST(VerdictText, PrintsOneStatusForEachLine) {
  EXPECT_EQ(verdicts("PUT\t" + shared_a + "\nget\t2f61\r\nDelete\t\nLIST\t2f73746174652f7368617265642f\nlist\t" + shared_a + "\nput\t" +
                     std::string(512, '6')),
            "OK\nACCESS_DENIED\nINVALID_KEY\nOK\nINVALID_KEY\nKEY_TOO_LONG\n");
  EXPECT_EQ(verdicts(""), "");
}

TEST(VerdictText, NamesTheLineThatCannotBeRead) {
  EXPECT_EQ(verdicts("put\t\n\n"), "batch:2: \"\" has no tab: write an operation, a tab and the key in hexadecimal");
  EXPECT_EQ(verdicts("put\t\nputs\t61"), "batch:2:1: operation \"puts\" does not exist: use put, get, delete or list");
  EXPECT_EQ(verdicts("put\t616"), "batch:1:5: key \"616\" is not hexadecimal: write two digits for each byte");
  EXPECT_EQ(verdicts("delete\t6g"), "batch:1:8: key \"6g\" is not hexadecimal: write two digits for each byte");
  EXPECT_EQ(verdicts("put\t61\t62").substr(0, 15), "batch:1:5: key ");
  EXPECT_EQ(verdicts("put\t" + std::string(text_limits::verdict_line_size_max, '6')).substr(0, 9), "batch:1: ");
}

TEST(VerdictText, KnowsFourOperationsInEitherCase) {
  EXPECT_EQ(access_of_name("put"), Access::put);
  EXPECT_EQ(access_of_name("GET"), Access::get);
  EXPECT_EQ(access_of_name("dElEtE"), Access::del);
  EXPECT_EQ(access_of_name("list"), Access::list);
  for (const std::string_view name : {"", "pu", "puts", "sync", "p\x15t", "\x10ut"}) EXPECT_EQ(access_of_name(name), std::nullopt) << name;
}

TEST(TextValues, ReadSizesAndDurationsWholeOrNotAtAll) {
  EXPECT_EQ(size_of_text("0"), 0u);
  EXPECT_EQ(size_of_text("64KiB"), 65'536u);
  EXPECT_EQ(size_of_text("9223372036854775807"), 9'223'372'036'854'775'807u);
  for (const std::string_view text : {"", "KiB", "1KB", "1 KiB", "-1", "+1", "1.5MiB", "0x10", "9223372036854775808",
                                      "9007199254740992KiB", "1KiBx"}) {
    EXPECT_EQ(size_of_text(text), std::nullopt) << text;
  }
  EXPECT_EQ(duration_of_text("1ms"), milliseconds(1));
  EXPECT_EQ(duration_of_text("24h"), seconds(86'400));
  for (const std::string_view text : {"", "5", "0s", "s", "1d", "-1s", "1.5s", "1 s", "8785h", "18446744073709551615h"}) {
    EXPECT_EQ(duration_of_text(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace statefs
