using System.Text.Json.Nodes;
using Assay.Evaluation.Json;

namespace Assay.Core.Tests.Schemas;

public sealed class JsonSchemaValidatorTests
{
    [Theory]
    // Examples of json-schema.org, "Understanding JSON Schema", and cases where other libraries are known to err.
    [InlineData("""{"type":"integer"}""", "1.0", true)]
    [InlineData("""{"type":"integer"}""", "1.5", false)]
    [InlineData("""{"type":["string","null"]}""", "null", true)]
    [InlineData("""{"type":["string","null"]}""", "3", false)]
    [InlineData("""{"const":5}""", "5.0", true)]
    [InlineData("""{"const":5}""", "6", false)]
    [InlineData("""{"const":null}""", "null", true)]
    [InlineData("""{"const":null}""", "0", false)]
    [InlineData("""{"enum":["a",1,null]}""", "null", true)]
    [InlineData("""{"enum":["a",1]}""", "\"b\"", false)]
    [InlineData("""{"multipleOf":0.01}""", "4.02", true)]
    [InlineData("""{"multipleOf":10}""", "23", false)]
    [InlineData("""{"exclusiveMaximum":100}""", "100", false)]
    [InlineData("""{"minimum":0,"maximum":100}""", "100", true)]
    [InlineData("""{"maxLength":2}""", "\"🌍🌍\"", true)]
    [InlineData(
        """{"pattern":"^(\\([0-9]{3}\\))?[0-9]{3}-[0-9]{4}$"}""",
        "\"(888)555-1212\"",
        true
    )]
    [InlineData("""{"pattern":"^(\\([0-9]{3}\\))?[0-9]{3}-[0-9]{4}$"}""", "\"555 1212\"", false)]
    [InlineData("""{"required":["a"]}""", "{}", false)]
    [InlineData(
        """{"additionalProperties":false,"properties":{"a":{}},"patternProperties":{"^x":{}}}""",
        """{"a":1,"xy":2}""",
        true
    )]
    [InlineData("""{"additionalProperties":false,"properties":{"a":{}}}""", """{"b":1}""", false)]
    [InlineData("""{"propertyNames":{"pattern":"^[a-z]+$"}}""", """{"A":1}""", false)]
    [InlineData("""{"dependentRequired":{"card":["address"]}}""", """{"card":1}""", false)]
    [InlineData(
        """{"if":{"properties":{"c":{"const":"US"}}},"then":{"required":["zip"]},"else":{"required":["code"]}}""",
        """{"c":"US","code":1}""",
        false
    )]
    [InlineData(
        """{"if":{"properties":{"c":{"const":"US"}}},"then":{"required":["zip"]},"else":{"required":["code"]}}""",
        """{"c":"NL","code":1}""",
        true
    )]
    [InlineData(
        """{"allOf":[{"properties":{"a":{}}}],"unevaluatedProperties":false}""",
        """{"a":1}""",
        true
    )]
    [InlineData(
        """{"allOf":[{"properties":{"a":{}}}],"unevaluatedProperties":false}""",
        """{"b":1}""",
        false
    )]
    [InlineData("""{"prefixItems":[{"type":"string"}],"items":false}""", """["a"]""", true)]
    [InlineData("""{"prefixItems":[{"type":"string"}],"items":false}""", """["a",1]""", false)]
    [InlineData("""{"contains":{"type":"number"},"minContains":2}""", """[1,"a"]""", false)]
    [InlineData("""{"uniqueItems":true}""", """[1,1.0]""", false)]
    [InlineData("""{"oneOf":[{"multipleOf":5},{"multipleOf":3}]}""", "15", false)]
    [InlineData("""{"oneOf":[{"multipleOf":5},{"multipleOf":3}]}""", "9", true)]
    [InlineData("""{"not":{"type":"string"}}""", "\"x\"", false)]
    [InlineData(
        """{"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"next":{"$ref":"#/$defs/node"}},"additionalProperties":false}}}""",
        """{"next":{"next":{"x":1}}}""",
        false
    )]
    [InlineData("""{"$ref":"#n","$defs":{"x":{"$anchor":"n","type":"null"}}}""", "null", true)]
    [InlineData("""{"format":"date-time"}""", "\"2026-01-31T12:00:00Z\"", true)]
    [InlineData("""{"format":"date"}""", "\"2026-02-30\"", false)]
    [InlineData("true", "5", true)]
    [InlineData("false", "5", false)]
    public void A_value_is_valid_exactly_when_the_specification_says_so(
        string schema,
        string value,
        bool isValid
    ) =>
        Assert.Equal(
            isValid,
            new JsonSchemaValidator(JsonNode.Parse(schema)!).Validate(JsonNode.Parse(value)).Count
                == 0
        );

    [Theory]
    [InlineData("""{"type":"nonsense"}""")]
    [InlineData("""{"$ref":"#/$defs/nowhere"}""")]
    [InlineData("""{"$ref":"https://example.com/schema"}""")]
    [InlineData("""{"pattern":"("}""")]
    [InlineData("""{"required":"a"}""")]
    [InlineData("""{"minLength":"3"}""")]
    [InlineData("""{"properties":{"a":5}}""")]
    [InlineData("5")]
    public void What_is_no_schema_is_refused(string schema) =>
        Assert.Throws<FormatException>(() => new JsonSchemaValidator(JsonNode.Parse(schema)!));

    [Fact]
    public void An_error_names_the_place_as_a_pointer()
    {
        var schema = new JsonSchemaValidator(
            JsonNode.Parse(
                """{"properties":{"a/b":{"type":"array","items":{"required":["c"]}}}}"""
            )!
        );
        var error = Assert.Single(schema.Validate(JsonNode.Parse("""{"a/b":[{"c":1},{}]}""")));
        Assert.Equal("/a~1b/1", error.Path);
        Assert.Equal("required", error.Keyword);
        Assert.Contains("'c' is missing", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_schema_that_refers_to_itself_without_end_is_stopped()
    {
        var schema = new JsonSchemaValidator(JsonNode.Parse("""{"$ref":"#"}""")!);
        Assert.NotEmpty(schema.Validate(JsonNode.Parse("1")));
    }
}
