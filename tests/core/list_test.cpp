#include <gtest/gtest.h>

#include <set>

#include "tests/core/device.h"

namespace statefs {
namespace {

using namespace test;

std::vector<std::string> keys_of(const Completion& page) {
  std::vector<std::string> keys;
  for (const ListEntry& entry : std::get<ListResponse>(page.response.body).entries) keys.push_back(text_of(entry.key));
  return keys;
}

void fill(Device& device, Device::Link& link, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) ASSERT_EQ(device.call(link, put_of(key, key)).response.status, Status::ok) << key;
}

TEST(List, GivesEachKeyOnceInByteOrderWhateverThePageSize) {
  Device device;
  auto link = device.connect();
  std::set<std::string> model;
  for (int i = 0; i < 40; ++i) model.insert("/state/shared/" + std::to_string(i * 7919 % 1000));
  model.insert("/state/shared/d/e/f");
  model.insert("/state/shared/d\xC3\xA9");
  fill(device, link, {model.begin(), model.end()});
  const std::vector<std::string> expected(model.begin(), model.end());
  for (std::uint16_t limit = 1; limit <= 45; ++limit) {
    std::vector<std::string> seen;
    std::string cursor;
    for (bool more = true; more;) {
      const Completion page = device.call(link, list_of("/state/shared/", cursor, limit));
      ASSERT_EQ(page.response.status, Status::ok);
      more = std::get<ListResponse>(page.response.body).has_more;
      const auto keys = keys_of(page);
      EXPECT_TRUE(!more || keys.size() == limit) << "a page is cut only where it is full";
      ASSERT_FALSE(more && keys.empty());
      seen.insert(seen.end(), keys.begin(), keys.end());
      if (!seen.empty()) cursor = seen.back();
    }
    EXPECT_EQ(seen, expected) << limit;
  }
}

TEST(List, ShowsOnlyWhatIsUnderThePrefix) {
  Device device;
  auto link = device.connect();
  fill(device, link, {"/state/shared/a", "/state/shared/a/1", "/state/shared/a/2", "/state/shared/a0", "/state/shared/b/1"});
  EXPECT_EQ(keys_of(device.call(link, list_of("/state/shared/a/"))),
            (std::vector<std::string>{"/state/shared/a/1", "/state/shared/a/2"}));
  EXPECT_TRUE(keys_of(device.call(link, list_of("/state/shared/none/"))).empty());
}

TEST(List, SeeksPastADeniedSubtreeAndNeverShowsIt) {
  DeviceOptions open;
  open.peers = 1;
  Device device(open);
  auto link = device.connect();
  std::vector<std::string> keys{"/state/shared/a", "/state/shared/z"};
  for (int i = 0; i < 300; ++i) keys.push_back("/state/shared/hidden/" + std::to_string(i));
  keys.push_back("/state/shared/hidden0");
  fill(device, link, keys);
  DeviceOptions narrowed = open;
  narrowed.rules.push_back({"/state/shared/hidden/", static_cast<AccessMask>(Access::list), true});
  device.server().reload(device.policy_of(narrowed), device.now());
  EXPECT_EQ(keys_of(device.call(link, list_of("/state/shared/"))),
            (std::vector<std::string>{"/state/shared/a", "/state/shared/hidden0", "/state/shared/z"}));
  EXPECT_EQ(device.call(link, list_of("/state/shared/hidden/")).response.status, Status::access_denied);
}

TEST(List, RefusesAPrefixOrCursorThatIsNoKey) {
  Device device;
  auto link = device.connect();
  const auto status = [&](std::string_view prefix, std::string_view cursor = {}) {
    return device.call(link, list_of(prefix, cursor)).response.status;
  };
  EXPECT_EQ(status("/state/shared"), Status::invalid_key);
  EXPECT_EQ(status(""), Status::invalid_key);
  EXPECT_EQ(status("/"), Status::access_denied);
  EXPECT_EQ(status("/state/"), Status::access_denied);
  EXPECT_EQ(status("/state/shared/../"), Status::invalid_key);
  EXPECT_EQ(status("/state/shared/", "/state/boot/x"), Status::invalid_key);
  EXPECT_EQ(status("/state/shared/", "/state/shared/a/"), Status::invalid_key);
  EXPECT_EQ(status("/state/shared/", "/state/shared/a"), Status::ok) << "a cursor need not exist";
}

TEST(List, CutsAPageAtTheEntryLimitAndSaysSo) {
  Device device;
  auto link = device.connect();
  std::vector<std::string> keys;
  for (std::size_t i = 0; i <= limits::list_entries_max; ++i) keys.push_back("/state/shared/" + std::to_string(1000 + i));
  fill(device, link, keys);
  const Completion page = device.call(link, list_of("/state/shared/"));
  EXPECT_EQ(keys_of(page).size(), limits::list_entries_max);
  EXPECT_TRUE(std::get<ListResponse>(page.response.body).has_more);
}

TEST(List, CutsAPageAtItsSizeAndSaysSo) {
  Device device;
  auto link = device.connect();
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < 250; ++i) keys.push_back("/state/shared/" + std::to_string(1000 + i) + std::string(237, 'k'));
  fill(device, link, keys);
  const Completion page = device.call(link, list_of("/state/shared/"));
  const std::size_t entry = 18 + keys[0].size();
  EXPECT_EQ(keys_of(page).size(), limits::list_page_size_max / entry);
  EXPECT_TRUE(std::get<ListResponse>(page.response.body).has_more);
  EXPECT_LE(page.bytes.size(), limits::frame_body_size_max);
}

}  // namespace
}  // namespace statefs
