// What core does: containers, their length checks, virtual functions, constants.
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

struct Machine {
  virtual ~Machine() = default;
  virtual int step(int now) = 0;
};
struct Counter final : Machine {
  int step(int now) override { return total += now; }
  int total = 0;
};
Machine* make() { return new Counter; }
static constexpr int table[] = {1, 2, 3};
const char* const names[] = {"a", "b"};
int f(std::map<std::string, std::vector<int>>& map, const std::string& key, int i) {
  map[key].push_back(table[i]);
  return static_cast<int>(map.size()) + names[0][0];
}
