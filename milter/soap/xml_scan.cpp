// Looks at the bytes of a document before a parser does. It need not understand XML: where it errs,
// the document is not well-formed and libxml2 stops at the same place.
#include "soap/document.hpp"

#include <fmt/format.h>

#include <array>

namespace demail::soap {

namespace {

constexpr std::size_t most_attributes = 64;
// Of an element and all around it: for each element canonicalisation looks through the namespaces
// in scope.
constexpr std::size_t most_attributes_in_scope = 256;
constexpr std::size_t most_elements = 50'000; // the longest list of domains in 1 MiB has fewer
constexpr std::size_t most_depth = 48;

class Scan {
  public:
    explicit Scan(std::string_view bytes) : rest_(bytes) {}

    std::optional<std::string> run() {
        if (rest_.find('\0') != std::string_view::npos) return "it is not UTF-8";
        if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
        if (rest_.starts_with("<?xml ")) (void)skip_past("?>");
        for (std::size_t at = rest_.find('<'); at != std::string_view::npos; at = rest_.find('<')) {
            rest_.remove_prefix(at);
            if (auto fault = markup()) return fault;
        }
        return std::nullopt;
    }

  private:
    [[nodiscard]] bool skip_past(std::string_view end) {
        const std::size_t at = rest_.find(end);
        if (at == std::string_view::npos) return false;
        rest_.remove_prefix(at + end.size());
        return true;
    }

    std::optional<std::string> markup() {
        const auto ended = [](bool good) -> std::optional<std::string> {
            if (good) return std::nullopt;
            return "it ends within a tag";
        };
        if (rest_.starts_with("<!--")) return ended(skip_past("-->"));
        if (rest_.starts_with("<![CDATA[")) return ended(skip_past("]]>"));
        if (rest_.starts_with("<!")) return "it has a DOCTYPE";
        if (rest_.starts_with("<?")) return "it has a processing instruction";
        if (rest_.starts_with("</")) {
            if (depth_ > 0) --depth_;
            return ended(skip_past(">"));
        }
        return start_tag();
    }

    std::optional<std::string> start_tag() {
        if (++elements_ > most_elements)
            return fmt::format("it has more than {} elements", most_elements);
        if (++depth_ > most_depth)
            return fmt::format("its elements are nested deeper than {}", most_depth);
        std::size_t attributes = 0;
        const std::size_t around = in_scope_[depth_ - 1];
        char quote = '\0';
        for (std::size_t i = 1; i < rest_.size(); ++i) {
            const char c = rest_[i];
            if (quote != '\0') {
                if (c == quote) quote = '\0';
            } else if (c == '"' || c == '\'') {
                quote = c;
            } else if (c == '=') {
                if (++attributes > most_attributes)
                    return fmt::format("an element has more than {} attributes", most_attributes);
                if (around + attributes > most_attributes_in_scope)
                    return fmt::format(
                        "an element and those around it have more than {} attributes",
                        most_attributes_in_scope);
            } else if (c == '>') {
                in_scope_[depth_] = around + attributes;
                if (rest_[i - 1] == '/') --depth_;
                rest_.remove_prefix(i + 1);
                return std::nullopt;
            }
        }
        return "it ends within a tag";
    }

    std::string_view rest_;
    std::size_t elements_ = 0;
    std::size_t depth_ = 0;
    std::array<std::size_t, most_depth + 1> in_scope_{}; // attributes, by depth
};

} // namespace

std::optional<std::string> scan_xml(std::string_view bytes) {
    return Scan(bytes).run();
}

} // namespace demail::soap
