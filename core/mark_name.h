// MARK NAME: what one mark is called and means.
//
//   MARK NAME -> server_marks.h, client_marks.h -> marks.h
#pragma once

#include <string_view>

namespace statefs {

struct MarkName {
  std::string_view name;     // `area.what`
  bool rare = false;         // swarm seeds need not hit it; `meaning` says why they do not
  std::string_view meaning;
};

}  // namespace statefs
