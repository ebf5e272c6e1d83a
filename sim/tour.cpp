#include "sim/script.h"

namespace statefs::sim {
namespace {

// Whatever the default policy and the rules of keys refuse, by every op that they refuse it to.
void add_refusals(std::vector<Step>& steps, const std::string& root, const std::string& longest) {
  for (const std::string& key : {std::string("/state/other/a"), std::string("/state/shared"), std::string("/state/sharedx/a"),
                                 std::string("/state/keystore/a"), std::string("/other")}) {
    steps.push_back(put(key, "no").with_status(Status::access_denied));
    steps.push_back(get(key).with_status(Status::access_denied));
    steps.push_back(del(key).with_status(Status::access_denied));
  }
  for (const std::string& key : {std::string(), root, root + "../boot/a", root + "./a", root + "a//b", root + "a\r\nforged",
                                 root + "\xc0\xaf", root + "a\\b", std::string("state/shared/a")}) {
    steps.push_back(put(key, "no").with_status(Status::invalid_key));
    steps.push_back(get(key).with_status(Status::invalid_key));
    steps.push_back(del(key).with_status(Status::invalid_key));
  }
  steps.push_back(put(longest + "k", "no").with_status(Status::key_too_long));
  steps.push_back(del(longest + "k").with_status(Status::key_too_long));
  steps.push_back(list("/state/").with_status(Status::access_denied));
  steps.push_back(list("/").with_status(Status::access_denied));
  steps.push_back(list("/state/shared").with_status(Status::invalid_key));
}

}  // namespace

std::vector<Step> tour() {
  const std::string root = "/state/shared/";
  const std::string longest = root + std::string(limits::key_size_max - root.size(), 'k');
  const std::string full(limits::value_size_max, 'v');
  std::vector<Step> steps;
  const auto add = [&steps](const Step& step) {
    steps.push_back(step);
    return steps.size() - 1;
  };
  const std::size_t first = add(put(root + "a", "one"));
  add(get(root + "a", "one"));
  add(put(root + "a", "two").with_revision_of(first));
  add(put(root + "a", "three").with_revision_of(first).with_status(Status::revision_conflict));
  add(put(root + "a", "four").with_if_absent().with_status(Status::revision_conflict));
  add(get(root + "a").with_revision_of(first).with_status(Status::revision_changed));
  add(get(root + "a", "two"));
  add(put(root + "b/empty", ""));
  add(get(root + "b/empty", ""));
  add(put(longest, full));
  add(get(longest, full));
  Step range = get(longest, std::string(100, 'v'));
  range.offset = limits::value_size_max - 100;
  add(range);
  add(put(root + "\xc3\xa9", std::string("\0\n\"\\\xff", 5)).with_if_absent());
  add(list(root, {root + "a", root + "b/empty", longest, root + "\xc3\xa9"}));
  Step page = list(root, {root + "a", root + "b/empty"});
  page.limit = 2;
  add(page);
  page.cursor = root + "b/empty";
  page.expected_keys = {{longest, root + "\xc3\xa9"}};
  add(page);
  add(list(root + "b/", {root + "b/empty"}));
  add(list(root + "none/", std::vector<std::string>{}));
  add(sync());
  add_refusals(steps, root, longest);
  add(break_stream());
  add(get(root + "a", "two"));
  const std::size_t again = add(put(root + "a", "five"));
  add(del(root + "a").with_revision_of(first).with_status(Status::revision_conflict));
  add(del(root + "a").with_revision_of(again));
  add(del(root + "a").with_status(Status::not_found));
  add(get(root + "a").with_status(Status::not_found));
  add(del(longest));
  add(list(root, {root + "b/empty", root + "\xc3\xa9"}));
  add(sync());
  return steps;
}

}  // namespace statefs::sim
