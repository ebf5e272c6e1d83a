#include <algorithm>
#include <bit>

#include "core/byte_mask.h"
#include "core/policy.h"

namespace statefs {
namespace {

bool covers(std::string_view subtree, std::string_view text) { return text.starts_with(subtree); }

// Multipliers of a multilinear hash, one for each word of a key: products do not wait for each other.
constexpr std::array<std::uint64_t, 32> make_multipliers() {
  std::array<std::uint64_t, 32> out{};
  std::uint64_t state = 0x7374617465667321;  // any start serves; this one spells the project's name
  for (std::uint64_t& multiplier : out) {
    state += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    multiplier = (mixed ^ (mixed >> 31)) | 1;
  }
  return out;
}
constexpr std::array<std::uint64_t, 32> multipliers = make_multipliers();
static_assert(limits::key_size_max / 8 < multipliers.size());

// Of the first `size` bytes of a text. The last word of a longer one begins earlier, so that it ends where they end.
std::uint64_t hash_of(ByteView text, std::size_t size) {
  if (size < 8) return load_head(text, size) * multipliers[0] + size;
  std::uint64_t hash = load_le<std::uint64_t>(text.data() + size - 8) * multipliers.back() + size;
  for (std::size_t at = 0; at + 8 <= size; at += 8) hash += load_le<std::uint64_t>(text.data() + at) * multipliers[at / 8];
  return hash;
}

// Whether both start with the same `size` bytes.
bool share_head(ByteView a, ByteView b, std::size_t size) {
  if (size < 8) return load_head(a, size) == load_head(b, size);
  const auto difference = [&](std::size_t at) {
    return load_le<std::uint64_t>(a.data() + at) ^ load_le<std::uint64_t>(b.data() + at);
  };
  std::uint64_t differences = difference(size - 8);
  for (std::size_t at = 0; at + 8 <= size; at += 8) differences |= difference(at);
  return differences == 0;
}

std::vector<Rule> with_reserved_denied(std::span<const Rule> rules) {
  std::vector<Rule> effective(rules.begin(), rules.end());
  for (const std::string_view reserved : reserved_subtrees) {
    const auto reaches = [&](const Rule& rule) { return !rule.deny && covers(rule.subtree, reserved); };
    if (std::any_of(rules.begin(), rules.end(), reaches)) effective.push_back({std::string(reserved), access_all, true});
  }
  return effective;
}

}  // namespace

std::optional<PolicyError> RuleSet::refusal_of(const Rule& rule, RulesFor whom) {
  if (!CanonicalPrefix::from(as_bytes(rule.subtree)).ok()) return PolicyError::bad_subtree;
  if (rule.access == 0 || (rule.access & ~access_all) != 0) return PolicyError::no_access;
  if (rule.deny || whom == RulesFor::local) return std::nullopt;
  for (const std::string_view reserved : reserved_subtrees) {
    if (covers(reserved, rule.subtree)) return PolicyError::reserved_subtree;
  }
  return std::nullopt;
}

Result<RuleSet, PolicyError> RuleSet::compile(std::span<const Rule> rules, RulesFor whom) {
  if (rules.size() > limits::rules_per_peer_max) return PolicyError::too_many_rules;
  for (const Rule& rule : rules) {
    if (const std::optional<PolicyError> refusal = refusal_of(rule, whom)) return *refusal;
  }
  RuleSet set;
  set.rules_.assign(rules.begin(), rules.end());
  const std::vector<Rule> effective = whom == RulesFor::remote ? with_reserved_denied(rules) : set.rules_;
  std::vector<std::string_view> subtrees;
  subtrees.reserve(effective.size());
  for (const Rule& rule : effective) subtrees.push_back(rule.subtree);
  std::sort(subtrees.begin(), subtrees.end());
  subtrees.erase(std::unique(subtrees.begin(), subtrees.end()), subtrees.end());
  for (const std::string_view subtree : subtrees) set.add_node(subtree, effective);
  set.index_nodes();
  return set;
}

// Subtrees come in byte order, so a denied subtree is there before those inside it.
void RuleSet::add_node(std::string_view subtree, std::span<const Rule> effective) {
  Node node;
  node.text_at = static_cast<std::uint32_t>(text_.size());
  node.size = static_cast<std::uint16_t>(subtree.size());
  for (std::size_t access = 0; access < access_count; ++access) {
    const Rule* deciding = nullptr;
    for (const Rule& rule : effective) {
      if (((rule.access >> access) & 1) == 0 || !covers(rule.subtree, subtree)) continue;
      const bool stronger = deciding == nullptr || (rule.deny != deciding->deny
                                                        ? rule.deny
                                                        : rule.subtree.size() > deciding->subtree.size());
      if (stronger) deciding = &rule;
    }
    if (deciding == nullptr) continue;
    const auto place = static_cast<std::size_t>(deciding - effective.data());
    node.rule[access] = place < rules_.size() ? static_cast<std::uint16_t>(place + 1) : reserved_rule;
    if (!deciding->deny) {
      node.allowed = static_cast<AccessMask>(node.allowed | (1u << access));
      continue;
    }
    node.widest_deny[access] = static_cast<std::uint16_t>(nodes_.size());
    for (const Node& outer : nodes_) {  // the nearest above comes last, and knows what is above itself
      const bool above = covers(as_text(subtree_of(outer)), subtree);
      if (above && outer.widest_deny[access] != no_node) node.widest_deny[access] = outer.widest_deny[access];
    }
  }
  text_.insert(text_.end(), subtree.begin(), subtree.end());
  nodes_.push_back(node);
}

void RuleSet::index_nodes() {
  const std::size_t slot_count = std::bit_ceil(2 * nodes_.size() + 2);
  slot_shift_ = 64 - std::countr_zero(slot_count);
  slots_.assign(slot_count, no_node);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const ByteView subtree = subtree_of(nodes_[i]);
    std::size_t slot = hash_of(subtree, subtree.size()) >> slot_shift_;
    while (slots_[slot] != no_node) slot = (slot + 1) & (slot_count - 1);
    slots_[slot] = static_cast<std::uint16_t>(i);
    const std::size_t end = subtree.size() - 1;
    ends_[end / 64] |= std::uint64_t{1} << (end % 64);
    longest_ = std::max(longest_, subtree.size());
  }
}

// A subtree can only end where the text has a slash and some subtree is that long; the longest such is tried first.
const RuleSet::Node* RuleSet::deepest_over(ByteView text) const {
  const std::size_t size = std::min(text.size(), longest_);
  for (std::size_t base = size == 0 ? 0 : (size - 1) / 64 * 64 + 64; base > 0;) {
    base -= 64;
    std::uint64_t slashes = 0;
    for_each_block(text, base, std::min(size, base + 64), [&slashes](std::size_t offset, auto block, std::size_t skip) {
      slashes |= (block.slashes() >> skip) << offset;
    });
    for (std::uint64_t ends = slashes & ends_[base / 64]; ends != 0;) {
      const int bit = 63 - std::countl_zero(ends);
      ends ^= std::uint64_t{1} << bit;
      if (const Node* node = node_of(text, base + static_cast<std::size_t>(bit) + 1)) return node;
    }
  }
  return nullptr;
}

const RuleSet::Node* RuleSet::node_of(ByteView text, std::size_t size) const {
  for (std::size_t slot = hash_of(text, size) >> slot_shift_; slots_[slot] != no_node; slot = (slot + 1) & (slots_.size() - 1)) {
    const Node& node = nodes_[slots_[slot]];
    if (node.size == size && share_head(subtree_of(node), text, size)) return &node;
  }
  return nullptr;
}

Verdict RuleSet::check(ByteView text, Access access) const {
  const Node* const node = deepest_over(text);
  if (node == nullptr) return {};
  const auto at = static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(access)));
  return {((node->allowed >> at) & 1) != 0, node->rule[at]};
}

std::string_view RuleSet::denied_subtree_of(const CanonicalKey& key, Access access) const {
  const Node* const node = deepest_over(key.bytes());
  if (node == nullptr) return {};
  const std::uint16_t deny = node->widest_deny[static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(access)))];
  return deny == no_node ? std::string_view{} : as_text(subtree_of(nodes_[deny]));
}

}  // namespace statefs
